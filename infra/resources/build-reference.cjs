const { join } = require('node:path');

/** The code's reference is packaged as the code is. */
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
