import type { Clock } from '../platform/clock.ts';
import type { Commit } from '../platform/database/commit.ts';
import type { RequestFacts } from '../platform/http/endpoint.ts';
import type { Log } from '../platform/log.ts';
import type { AuditEntry } from './audit.ts';

/** Anybody can send wrong keys: an instance writes at most so many of them down a minute, and logs that there were more. */
const ENTRIES_A_MINUTE = 60;

export interface RefusalAuditPorts {
  commit: Commit<AuditEntry>;
  clock: Clock;
  log: Log;
}

/** Accounts for keys that open nothing. Never rejects: the caller is refused whatever becomes of the entry. */
export function createRefusalAudit({ commit, clock, log }: RefusalAuditPorts): (request: RequestFacts, reason: string) => Promise<void> {
  let minute = -1;
  let written = 0;

  return async ({ path, ip, userAgent }, reason) => {
    const now = Math.floor(clock.nowMs() / 60_000);
    if (now !== minute) [minute, written] = [now, 0];
    written += 1;
    if (written === ENTRIES_A_MINUTE + 1) log.warn('auth_failures_no_longer_audited', { this_minute: written, ip });
    if (written > ENTRIES_A_MINUTE) return;
    const entry: AuditEntry = {
      actor: { principal: { type: 'system' }, ip, userAgent },
      action: 'auth.failed',
      resourceType: 'system',
      details: { reason, path: path.replace(/^\/api\/v1/, '') },
    };
    await commit({ writes: [], audit: entry }).catch((error) => log.warn('audit_failed', { error }));
  };
}
