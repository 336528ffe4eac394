import type { Actor, AuditEntry } from '../../identity/audit.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Commit } from '../../platform/database/commit.ts';
import type { Database } from '../../platform/database/database.ts';

/** What the verbs of routing need of the world. Each verb takes the ports first, then the caller, then its input. */
export interface RoutingPorts {
  database: Database;
  clock: Clock;
  commit: Commit<AuditEntry>;
  sealing: {
    seal(text: string, associated: string): Promise<string>;
    open(sealed: string, associated: string): Promise<string>;
  };
  /** Throws an AppError if the gateway may not connect to this address. */
  checkUpstream(url: string): Promise<void>;
}

/** The organization whose things are read. The caller's rights there have been checked. */
export interface InOrganization {
  organization_id: string;
}
/** Who makes a change, and in which organization. */
export interface RoutingCaller extends Actor, InOrganization {}
