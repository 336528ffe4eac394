import type { Clock } from '../platform/clock.ts';
import type { Commit } from '../platform/database/commit.ts';
import type { RequestFacts } from '../platform/http/request-facts.ts';
import type { Log } from '../platform/log.ts';
import { type AuditEntry, REFUSED_KEY } from './audit.ts';

/** Anybody can send wrong keys, so an instance audits at most this many in a minute, and logs that there were more. */
const ENTRIES_A_MINUTE = 60;
/** A stranger's text is cut to this length, so that an entry stays below one kilobyte, which is one write unit. */
const TEXT_BYTES = 256;

export interface RefusalAuditPorts {
  commit: Commit<AuditEntry>;
  clock: Clock;
  log: Log;
}

/** Writes an audit entry for a refused key. Never rejects: the caller is refused even if the entry can't be stored. */
export function createRefusalAudit({ commit, clock, log }: RefusalAuditPorts): (request: RequestFacts) => Promise<void> {
  let minute = -1;
  let written = 0;

  return async ({ path, ip, userAgent }) => {
    const now = Math.floor(clock.nowMs() / 60_000);
    if (now !== minute) [minute, written] = [now, 0];
    written += 1;
    if (written === ENTRIES_A_MINUTE + 1) log.warn('auth_failures_no_longer_audited', { this_minute: written, ip });
    if (written > ENTRIES_A_MINUTE) return;
    const entry: AuditEntry = {
      actor: { principal: { type: 'system' }, ip, userAgent: userAgent === undefined ? undefined : firstBytes(userAgent) },
      action: REFUSED_KEY,
      resourceType: 'system',
      details: { reason: 'invalid_pak', path: firstBytes(path.replace(/^\/api\/v1/, '')) },
    };
    await commit({ writes: [], audit: entry }).catch((error) => log.warn('audit_failed', { error }));
  };
}

/** The text's first bytes, without the half of a character at their end. */
function firstBytes(text: string): string {
  const bytes = Buffer.from(text).subarray(0, TEXT_BYTES);
  return new TextDecoder().decode(bytes, { stream: true });
}
