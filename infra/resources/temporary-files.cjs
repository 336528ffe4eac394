const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

/** The bundler copies each function to a temporary folder and leaves the copy there. This removes the folder at the end. */
module.exports = class TemporaryFiles {
  constructor() {
    this.hooks = {
      'before:package:initialize': () => {
        const folder = mkdtempSync(join(tmpdir(), 'brokkr-packing-'));
        process.env.TMPDIR = folder;
        process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
      },
    };
  }
};
