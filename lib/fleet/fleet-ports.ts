import type { Actor, AuditEntry } from '../identity/audit.ts';
import type { Bootstrap } from '../identity/bootstrap.ts';
import type { Principal } from '../identity/principal.ts';
import type { Clock } from '../platform/clock.ts';
import type { Commit } from '../platform/database/commit.ts';
import type { Database } from '../platform/database/database.ts';
import type { Log } from '../platform/log.ts';

/** What the fleet's verbs need of the world. Each verb takes these first, then who is asking, then its input. */
export interface FleetPorts {
  database: Database;
  clock: Clock;
  commit: Commit<AuditEntry>;
  log: Log;
  installation: Bootstrap;
  /** Drops what is remembered of a principal's key in this process. */
  forgetKey(principalId: string): void;
  eventRetentionDays: number;
}

/** The caller of a verb, as the audit log names it. */
export type Caller = Actor & { principal: Principal };
