// esbuild splits a program into chunks, one for what each import() brings and more for what several share. Here they
// become one script again, each chunk a function that runs when it is asked for first. Why not leave them files: finding
// and reading a file costs more than a chunk does. Why not one flat script, as esbuild's own CJS output is: there every
// function of every chunk is made when the script starts, and V8's code cache holds something about each.

/**
 * The script: an expression whose value is `function (require, module, __filename)`.
 * @param {import('esbuild').OutputFile[]} files
 * @param {import('esbuild').Metafile} metafile
 */
export function joinChunks(files, metafile) {
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [baseName(path), output]));
  const chunks = files.map(({ path, text }) => {
    const name = baseName(path);
    return `${JSON.stringify(name)}(){${functionBody(name, text, outputs.get(name))}\n}`;
  });
  const entry = [...outputs].find(([, output]) => output.entryPoint?.endsWith('bin.ts'))?.[0];
  if (entry === undefined) throw new Error('chunks: no entry point');
  return `(function(require,module,__filename){"use strict";const __url='file://'+__filename,__done={__proto__:null},__load=name=>__done[name]??=__chunks[name](),__chunks={${chunks.join(',')}};__load(${JSON.stringify(entry)})})`;
}

const baseName = (path) => path.slice(path.lastIndexOf('/') + 1);

/** The statements of a chunk with imports and exports as calls and a return value. */
function functionBody(name, text, output) {
  let rest = text;
  let head = '';
  let imports = 0;
  for (;;) {
    const found = /^\s*import\s*(?:\{([^}]*)\}\s*from\s*)?"\.\/([^"]+)"\s*;?/.exec(rest);
    if (found === null) break;
    const [statement, names, from] = found;
    // A chunk is complete before another uses it, so that a binding is as good as its value.
    if (names !== undefined) head += `const{${pairs(names, 'import')}}=__load(${JSON.stringify(from)});`;
    else head += `__load(${JSON.stringify(from)});`;
    rest = rest.slice(statement.length);
    imports += 1;
  }
  let tail = '';
  const end = /export\s*\{([^}]*)\}\s*;?\s*$/.exec(rest);
  if (end !== null) {
    rest = rest.slice(0, end.index);
    tail = `return{${pairs(end[1], 'export')}};`;
  } else tail = 'return{};';
  let dynamic = 0;
  rest = rest.replace(/\bimport\("\.\/([^"]+)"\)/g, (_, from) => {
    // A module that is no part of the script.
    if (from.endsWith('.mjs')) return `module.import(${JSON.stringify(from)})`;
    dynamic += 1;
    return `Promise.resolve().then(()=>__load(${JSON.stringify(from)}))`;
  });
  const expected = (kind) => output.imports.filter((one) => one.kind === kind && !one.external).length;
  const exported = end === null || end[1].trim() === '' ? 0 : end[1].split(',').length;
  if (
    imports !== expected('import-statement') ||
    exported !== output.exports.length ||
    dynamic < expected('dynamic-import')
  )
    throw new Error(`chunks: ${name} has imports or exports in a form that is not known here`);
  return `${head}${rest}\n${tail}`;
}

/** `a as b, c` as members of a pattern, or of an object. */
function pairs(names, kind) {
  return names
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
    .map((one) => {
      const [from, to] = one.split(/\s+as\s+/);
      if (to === undefined) return from;
      return kind === 'import' ? `${from}:${to}` : `${to}:${from}`;
    })
    .join(',');
}
