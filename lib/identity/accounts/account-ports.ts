import type { Clock } from '../../platform/clock.ts';
import type { Commit } from '../../platform/database/commit.ts';
import type { Database } from '../../platform/database/database.ts';
import type { Log } from '../../platform/log.ts';
import type { Mail } from '../../platform/mail/mail.ts';
import type { AuditEntry } from '../audit.ts';
import type { UserPrincipal } from './account-principals.ts';
import type { AccessTokens } from './sessions/access-token.ts';

/** The things outside the accounts that their verbs need. Each verb takes the ports first, then the caller, then its input. */
export interface AccountPorts {
  database: Database;
  clock: Clock;
  commit: Commit<AuditEntry>;
  log: Log;
  mail: Mail;
  tokens: AccessTokens;
  /** From which refresh tokens are computed; see session.ts. */
  refreshSecret: Uint8Array;
  /** Where people reach the console, for links in mails. */
  publicUrl: string | undefined;
  /** Makes this process read a session again. */
  forgetSession(sessionId: string): void;
  /** Makes this process read an API key again. */
  forgetApiKey(hash: string): void;
}

/** Somebody without credentials, as on login. */
export interface Visitor {
  ip?: string | undefined;
  userAgent?: string | undefined;
}
/** The signed-in user who calls a verb, as the audit log names him. */
export interface Caller extends Visitor {
  principal: UserPrincipal;
}
