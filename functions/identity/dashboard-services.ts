import { hkdfSync } from 'node:crypto';
import type { AccountPorts } from '../../lib/identity/accounts/account-ports.ts';
import { idempotencyKey } from '../../lib/identity/accounts/accounts-table.ts';
import { createAccessTokens } from '../../lib/identity/accounts/sessions/access-token.ts';
import { createSessionAuthenticator, type SessionAuthenticator } from '../../lib/identity/accounts/sessions/session-authenticator.ts';
import { type AuditEntry, auditWrites } from '../../lib/identity/audit.ts';
import { identityTable } from '../../lib/identity/identity-table.ts';
import { telemetryTable } from '../../lib/identity/telemetry-table.ts';
import { createCommit } from '../../lib/platform/database/commit.ts';
import { AppError } from '../../lib/platform/errors.ts';
import { workTable } from '../../lib/platform/events/work-table.ts';
import type { IdempotencyPorts } from '../../lib/platform/idempotency.ts';
import { type Mail, noMail } from '../../lib/platform/mail/mail.ts';
import { createSesMail } from '../../lib/platform/mail/ses-mail.ts';
import { localKeys } from '../../lib/platform/sealing/local-keys.ts';
import { createSealing } from '../../lib/platform/sealing/sealing.ts';
import { accountCleanUp } from '../consumers/account-clean-up.ts';
import { oncePerRuntime, type Runtime } from '../runtime.ts';
import { store } from '../store.ts';
import { projectKeys } from './project-keys.ts';

/** Everything that the dashboard's functions work with. Nothing of the fleet is in it. */
export interface DashboardServices extends AccountPorts {
  runtime: Runtime;
  authenticate: SessionAuthenticator['authenticate'];
  /** For creations with an Idempotency-Key. */
  idempotency: IdempotencyPorts;
}

/** This process's services of the dashboard, made at the first call. */
export const dashboardServices = oncePerRuntime((runtime): DashboardServices => {
  const { config, clock, log } = runtime;
  const { database } = store(runtime);
  const secret = secretOf(config.BROKKR_JWT_SECRET);
  const tokens = createAccessTokens(secret, clock);
  const derived = (what: string) => new Uint8Array(hkdfSync('sha256', secret, '', what, 32));
  const answers = Buffer.from(derived('brokkr idempotent answers')).toString('base64');
  const sessions = createSessionAuthenticator({ database, clock, tokens });
  const audit = { database, table: telemetryTable.name, clock, retentionDays: config.BROKKR_AUDIT_RETENTION_DAYS };
  return {
    runtime,
    database,
    clock,
    log,
    tokens,
    mail: runtime.mail ?? mailOf(runtime),
    refreshSecret: derived('brokkr refresh tokens'),
    publicUrl: config.BROKKR_PUBLIC_URL,
    commit: createCommit<AuditEntry>({
      database,
      outbox: { table: workTable.name, clock, consumers: [accountCleanUp] },
      auditWrites: (entry) => auditWrites(entry, audit),
      // Nobody waits for a clean-up, so that the sweep of the outbox relays it.
      afterCommit: () => {},
    }),
    authenticate: sessions.authenticate,
    idempotency: { database, clock, table: identityTable.name, keyOf: idempotencyKey, sealing: createSealing(localKeys([answers])) },
    forgetSession: sessions.forget,
    forgetApiKey: (hash) => projectKeys(runtime).forget(hash),
  };
});

/** Without a secret the dashboard answers 503 and says in the log what is missing. The fleet works. */
function secretOf(text: string | undefined): Uint8Array {
  if (text === undefined)
    throw new AppError('unavailable', 'accounts are not set up', { cause: new Error('BROKKR_JWT_SECRET is not set') });
  return new TextEncoder().encode(text);
}

function mailOf({ config, log }: Runtime): Mail {
  const { BROKKR_MAIL_FROM: from, AWS_REGION: region } = config;
  return from === undefined ? noMail(log) : createSesMail({ from, ...(region !== undefined && { region }) });
}
