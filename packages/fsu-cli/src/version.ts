/** The version of the tools; a test holds it equal to package.json's. */
export const VERSION = '0.1.0';
/** When that was made, as manual pages tell it. */
export const RELEASED = 'November 26, 2026';
