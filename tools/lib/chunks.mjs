// esbuild splits a program into chunks, one for what each import() brings and more for what several share. Here they
// become two scripts, each chunk a function that runs when it is asked for first: what the commands started most use, and
// the rest. Why not leave them files: finding and reading a file costs more than a chunk does. Why not one flat script, as
// esbuild's own CJS output is: there every function of every chunk is made when the script starts, and V8's code cache holds
// something about each. Why two: a start reads all of a script, and copies it.

/**
 * The scripts: `main`, an expression whose value is `function (require, module, __filename)`, and `more`, one whose value is
 * `function (require, module, __url, __load)` and gives the chunks that `main` lacks. `module.chunks` becomes the chunks that
 * have run, by name; `module.more()` is to give the value of `more`.
 * @param {import('esbuild').OutputFile[]} files
 * @param {import('esbuild').Metafile} metafile
 * @param {(name: string) => boolean} isHot whether the chunk goes into `main`
 */
export function joinChunks(files, metafile, isHot) {
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [baseName(path), output]));
  const chunks = files.map(({ path, text }) => {
    const name = baseName(path);
    return { name, code: `${JSON.stringify(name)}(){${functionBody(name, text, outputs.get(name))}\n}` };
  });
  const entry = [...outputs].find(([, output]) => output.entryPoint?.endsWith('bin.ts'))?.[0];
  if (entry === undefined) throw new Error('chunks: no entry point');
  const object = (list) => `{__proto__:null,${list.map(({ code }) => code).join(',')}}`;
  const [hot, rest] = [chunks.filter(({ name }) => isHot(name)), chunks.filter(({ name }) => !isHot(name))];
  return {
    main: `(function(require,module,__filename){"use strict";const __url='file://'+__filename,__done=module.chunks={__proto__:null};let __more;const __load=name=>__done[name]??=(__chunks[name]??(__more??=module.more()(require,module,__url,__load))[name])(),__chunks=${object(hot)};__load(${JSON.stringify(entry)})})`,
    more: `(function(require,module,__url,__load){"use strict";return ${object(rest)}})`,
  };
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
