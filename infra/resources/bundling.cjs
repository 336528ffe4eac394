const { builtinModules } = require('node:module');

const BUILTINS = new Set(builtinModules);

/**
 * Loads Node's own modules by `require` instead of `import`. An import reads every member of a module, and so loads parts that Node
 * loads only on demand: WebSocket and all of fetch for `node:http`, the standard streams for `node:process`. That would be a third of a
 * function's time to start.
 */
const requireBuiltins = {
  name: 'require-builtins',
  setup(build) {
    build.onResolve({ filter: /^(node:)?[a-z_0-9/]+$/ }, ({ path, kind }) => {
      const name = path.replace(/^node:/, '');
      return kind !== 'require-call' && BUILTINS.has(name) ? { path: name, namespace: 'builtin' } : undefined;
    });
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}')`,
    }));
  },
};

module.exports = [requireBuiltins];
