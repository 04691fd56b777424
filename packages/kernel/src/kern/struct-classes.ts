/**
 * Accessor classes of struct() tables that are made already, by `name:size`. None in the sources: the build of the tools
 * puts the output of classSource() for every table here, so that V8's code cache holds what it could not keep of code
 * made by `new Function`.
 */
export const structClasses: Readonly<Record<string, ((lib: object) => unknown) | undefined>> = {};
