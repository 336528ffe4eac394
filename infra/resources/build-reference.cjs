const { execFileSync } = require('node:child_process');
const { dirname, join } = require('node:path');

/** The code's reference is built from the code as it is packaged. */
module.exports = class BuildReference {
  constructor() {
    this.hooks = {
      'before:package:initialize': () => {
        const typedoc = join(dirname(require.resolve('typedoc/package.json')), 'bin/typedoc');
        execFileSync(process.execPath, [typedoc, '--logLevel', 'Warn'], {
          cwd: join(__dirname, '../..'),
          stdio: 'inherit',
        });
      },
    };
  }
};
