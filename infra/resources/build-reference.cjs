const { join } = require('node:path');

/** Builds the code's reference before packaging, so that it matches the code. */
module.exports = class BuildReference {
  constructor() {
    this.hooks = {
      'before:package:initialize': async () => {
        const { buildReference, findTypedoc, isReferenceCurrent } = await import('../../functions/system/reference-build.ts');
        const folder = join(__dirname, '../../docs/api');
        if (!(await isReferenceCurrent(folder))) await buildReference(folder, findTypedoc());
      },
    };
  }
};
