import type { AuditEntry } from '../../../identity/audit.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { Commit } from '../../../platform/database/commit.ts';
import { ConditionFailed, type Database } from '../../../platform/database/database.ts';
import type { Log } from '../../../platform/log.ts';
import { withProbe } from './circuit.ts';
import { findHealth, healthWrite, listHealth } from './health-repository.ts';
import { newState, type ProviderState, withSamples } from './provider-state.ts';
import { adopt, confirmStored, putBack, type TrackedOrganization, takePending, trackedProvider } from './tracked-provider.ts';

export interface ShareHealthPorts {
  database: Database;
  commit: Commit<AuditEntry>;
  clock: Clock;
  log: Log;
}

/** As often as other instances may come between before samples wait for the next time. */
const TRIES = 4;

/** Takes over what all instances know. A failure leaves what is known here. */
export async function readHealth({ database, clock, log }: ShareHealthPorts, organization: TrackedOrganization): Promise<void> {
  organization.reading = true;
  organization.readAtMs = clock.monotonicMs();
  try {
    const stored = await listHealth(database, organization.id);
    for (const [id, state] of stored) adopt(trackedProvider(organization, id), state, clock.nowMs());
    // The store forgets a provider that nobody used for days.
    for (const [id, { stored: known, sending }] of organization.providers)
      if (!stored.has(id) && known.version > 0 && !sending) organization.providers.delete(id);
  } catch (error) {
    log.warn('provider_health_not_read', { error });
  } finally {
    organization.reading = false;
    organization.viewIsStale = true;
  }
}

/** Asks for the right to let a call try: of all instances, the one whose write is stored has it. */
export async function claimProbe(ports: ShareHealthPorts, organization: TrackedOrganization, providerId: string): Promise<void> {
  const provider = trackedProvider(organization, providerId);
  provider.claiming = true;
  const now = ports.clock.nowMs();
  const state: ProviderState = { ...provider.stored, circuit: withProbe(provider.stored.circuit, now) };
  try {
    await ports.database.write(healthWrite(organization.id, providerId, state, now));
    provider.probing = true;
    adopt(provider, { ...state, version: state.version + 1 }, now);
  } catch (error) {
    if (error instanceof ConditionFailed) await readHealth(ports, organization);
    else ports.log.warn('provider_probe_not_claimed', { provider: providerId, error });
  } finally {
    provider.claiming = false;
    organization.viewIsStale = true;
  }
}

/** Stores one provider's samples on top of what the store has by then. Samples that can't be stored are kept. */
export async function storeSamples(ports: ShareHealthPorts, organization: TrackedOrganization, providerId: string): Promise<void> {
  const provider = trackedProvider(organization, providerId);
  const samples = takePending(provider);
  if (!samples) return;
  let base = provider.stored;
  for (let attempt = 1; ; attempt++) {
    const now = ports.clock.nowMs();
    const next = withSamples(base, samples, now);
    try {
      await writeState(ports, organization.id, providerId, base, next, now);
      confirmStored(provider, { ...next, version: next.version + 1 }, now);
      organization.viewIsStale = true;
      return;
    } catch (error) {
      if (error instanceof ConditionFailed && attempt < TRIES) {
        base = (await findAgain(ports, organization.id, providerId)) ?? base;
        continue;
      }
      putBack(provider, now);
      ports.log.warn('provider_health_not_stored', { provider: providerId, error });
      return;
    }
  }
}

async function findAgain({ database, log }: ShareHealthPorts, organizationId: string, providerId: string) {
  try {
    return (await findHealth(database, organizationId, providerId)) ?? newState();
  } catch (error) {
    log.warn('provider_health_not_read', { provider: providerId, error });
    return undefined;
  }
}

/** A provider that refuses our key, or whose account is exhausted, is told once to its owner: with the write that makes it so. */
async function writeState(
  { database, commit }: ShareHealthPorts,
  organizationId: string,
  providerId: string,
  before: ProviderState,
  after: ProviderState,
  nowMs: number,
): Promise<void> {
  const write = healthWrite(organizationId, providerId, after, nowMs);
  const { cause } = after.circuit;
  if (cause === null || cause === 'failures' || cause === before.circuit.cause) {
    await database.write(write);
    return;
  }
  await commit({
    writes: [write],
    audit: {
      actor: { principal: { type: 'system' } },
      action: cause === 'credentials' ? 'provider.key_refused' : 'provider.account_exhausted',
      resourceType: 'provider',
      details: { organization_id: organizationId, provider_id: providerId, message: after.last_error?.message ?? null },
    },
  });
}
