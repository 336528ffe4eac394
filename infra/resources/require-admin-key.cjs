/** lib/identity/pak.ts; test/infra holds them together. */
const PUBLIC_DEVELOPMENT_HASH = '4c697273df3d764cba950bb5c04368097685f09259f5bd880d892cf1ff9f4cdd';

/** A deployment nobody holds an admin key to is of no use, and one with an empty hash looks as if it worked. */
module.exports = class RequireAdminKey {
  constructor(serverless) {
    this.hooks = {
      'before:deploy:deploy': () => {
        const hash = serverless.service.provider.environment?.BROKKR_ADMIN_PAK_HASH;
        const refuse = (why) => {
          throw new serverless.classes.Error(why);
        };
        if (!/^[0-9a-f]{64}$/.test(hash)) {
          refuse(
            'bring an admin key: --param="adminPakHash=<SHA-256 of its long part, 64 hex digits>", or BROKKR_ADMIN_PAK_HASH (docs/deploying.md)',
          );
        }
        if (hash === PUBLIC_DEVELOPMENT_HASH) refuse('adminPakHash is that of the public development key: bring a key of your own');
      },
    };
  }
};
