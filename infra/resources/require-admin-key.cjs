/** A deployment nobody holds an admin key to is of no use, and one with an empty hash looks as if it worked. */
module.exports = class RequireAdminKey {
  constructor(serverless) {
    this.hooks = {
      'before:deploy:deploy': () => {
        const hash = serverless.service.provider.environment?.BROKKR_ADMIN_PAK_HASH;
        if (/^[0-9a-f]{64}$/.test(hash)) return;
        throw new serverless.classes.Error(
          'bring an admin key: --param="adminPakHash=<SHA-256 of its long part, 64 hex digits>", or BROKKR_ADMIN_PAK_HASH (docs/deploying.md)',
        );
      },
    };
  }
};
