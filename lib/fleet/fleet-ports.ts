import type { Actor, AuditEntry } from '../identity/audit.ts';
import type { Bootstrap } from '../identity/bootstrap.ts';
import type { Principal } from '../identity/principal.ts';
import type { Clock } from '../platform/clock.ts';
import type { Commit } from '../platform/database/commit.ts';
import type { Database } from '../platform/database/database.ts';
import type { RelayPorts } from '../platform/events/outbox.ts';
import type { Log } from '../platform/log.ts';

/** The things outside the fleet that its verbs need. Each verb takes the ports first, then the caller, then its input. */
export interface FleetPorts {
  database: Database;
  clock: Clock;
  commit: Commit<AuditEntry>;
  log: Log;
  installation: Bootstrap;
  /** Makes this process forget a principal's key, so that the next request reads it again. */
  forgetKey(principalId: string): void;
  eventRetentionDays: number;
}

/** The work after a commit also sends events on. */
export type NotifyPorts = FleetPorts & { outbox: RelayPorts };

/** The caller of a verb, as the audit log names it. */
export type Caller = Actor & { principal: Principal };
