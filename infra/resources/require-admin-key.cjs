/** The hash in lib/identity/pak.ts; test/infra compares the two. */
const PUBLIC_DEVELOPMENT_HASH = '4c697273df3d764cba950bb5c04368097685f09259f5bd880d892cf1ff9f4cdd';

/** Refuses a deployment without an admin key: nobody could use it, although it would look as if it worked. */
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
            'an admin key is missing: --param="adminPakHash=<SHA-256 of its long part, 64 hex digits>", or BROKKR_ADMIN_PAK_HASH (docs/deploying.md)',
          );
        }
        const secret = serverless.service.provider.environment?.BROKKR_JWT_SECRET ?? '';
        // An invalid setting would keep every function from answering. Without a secret only accounts are missing.
        if (secret !== '' && secret.length < 32) refuse('jwtSecret must have at least 32 characters (docs/guides/accounts.md)');
        if (hash === PUBLIC_DEVELOPMENT_HASH) refuse('adminPakHash is the hash of the public development key: use a key of your own');
      },
    };
  }
};
