import { dashboardError, invalidField } from '../../../identity/accounts/dashboard-errors.ts';
import type { AuditEntry } from '../../../identity/audit.ts';
import { timestamp } from '../../../platform/clock.ts';
import { checkRoom } from '../configuration/configuration-items.ts';
import { healthResetWrite } from '../health/health-repository.ts';
import type { InOrganization, RoutingCaller, RoutingPorts } from '../routing-ports.ts';
import { type NewProvider, type ProviderChange, previewOf, SIMULATED, type StoredProvider, sealedFor } from './provider-config.ts';
import { presetOf } from './provider-presets.ts';
import { findProvider, providerNewWrite, providerRemoveWrite, providerUpdateWrite } from './provider-repository.ts';

const DEFAULTS = { priority: 0, timeout_seconds: 30, max_retries: 2, enabled: true };

const changedMeanwhile = () => dashboardError('VERSION_CONFLICT');
const audited = (caller: RoutingCaller, verb: string, provider: StoredProvider): AuditEntry => ({
  actor: caller,
  action: `provider.${verb}`,
  resourceType: 'provider',
  details: { organization_id: provider.organization_id, provider_id: provider.id, base_url: provider.base_url },
});

/** A stored key, or none. The preview is all that an answer ever shows of it. */
async function sealKey({ sealing }: RoutingPorts, key: string | undefined, organizationId: string, id: string) {
  if (key === undefined) return { sealed_key: null, api_key_preview: null };
  return { sealed_key: await sealing.seal(key, sealedFor(organizationId, id)), api_key_preview: previewOf(key) };
}

/** A provider is one item of the store, which may have 400 KB. */
const MODELS_BYTES = 200_000;
function checkModels(models: readonly object[] | undefined): void {
  if (models && JSON.stringify(models).length > MODELS_BYTES)
    throw invalidField('models', `must have at most ${MODELS_BYTES} bytes as JSON`);
}

export async function createProvider(ports: RoutingPorts, caller: RoutingCaller, given: NewProvider): Promise<StoredProvider> {
  const { type, preset: presetName, api_key, base_url, project_id = null, ...settings } = given;
  if (presetName !== undefined && type !== 'openai-compatible') throw invalidField('preset', 'goes with the type openai-compatible only');
  const preset = presetOf(type, presetName);
  const id = given.id ?? presetName ?? type;
  if (id === SIMULATED) throw dashboardError('PROVIDER_ALREADY_EXISTS', { message: 'every organization has the provider `simulated`' });
  if (api_key === undefined && !preset.keyless) throw invalidField('api_key', `is needed for ${preset.name}`, 'REQUIRED_FIELD_MISSING');
  const address = base_url ?? preset.base_url;
  if (address === undefined) throw invalidField('base_url', `is needed for ${preset.name}`, 'REQUIRED_FIELD_MISSING');
  await ports.checkUpstream(address);
  checkModels(settings.models);
  await checkRoom(ports.database, caller.organization_id);
  const now = timestamp(ports.clock);
  const provider: StoredProvider = {
    ...DEFAULTS,
    name: preset.name,
    models: [],
    ...settings,
    id,
    version: 1,
    organization_id: caller.organization_id,
    kind: type,
    ...(presetName !== undefined && { preset: presetName }),
    base_url: trimmed(address),
    project_id,
    ...(await sealKey(ports, api_key, caller.organization_id, id)),
    created_at: now,
    updated_at: now,
  };
  await ports.commit({
    answer: provider,
    writes: [providerNewWrite(provider, () => dashboardError('PROVIDER_ALREADY_EXISTS', { details: { id } }))],
    audit: audited(caller, 'created', provider),
  });
  return provider;
}

export async function getProvider({ database }: RoutingPorts, caller: InOrganization, id: string): Promise<StoredProvider> {
  const provider = await findProvider(database, caller.organization_id, id);
  if (!provider) throw dashboardError('PROVIDER_NOT_FOUND');
  return provider;
}

/** Changes the members that are given. A new address needs the key again: otherwise the stored key could be sent to anybody's server. */
export async function updateProvider(
  ports: RoutingPorts,
  caller: RoutingCaller,
  id: string,
  change: ProviderChange,
): Promise<StoredProvider> {
  const before = await getProvider(ports, caller, id);
  const { api_key, base_url, ...settings } = change;
  if (base_url !== undefined && originOf(base_url) !== originOf(before.base_url)) {
    if (before.sealed_key !== null && api_key === undefined)
      throw invalidField('api_key', 'is needed again with an address on another server', 'REQUIRED_FIELD_MISSING');
  }
  checkModels(settings.models);
  if (base_url !== undefined) await ports.checkUpstream(base_url);
  const after: StoredProvider = {
    ...before,
    ...settings,
    ...(base_url !== undefined && { base_url: trimmed(base_url) }),
    ...(api_key !== undefined && (await sealKey(ports, api_key, caller.organization_id, id))),
    updated_at: timestamp(ports.clock),
  };
  const isOtherUpstream = after.sealed_key !== before.sealed_key || after.base_url !== before.base_url;
  await ports.commit({
    writes: [
      providerUpdateWrite(before, after, changedMeanwhile),
      ...(isOtherUpstream ? [healthResetWrite(caller.organization_id, id, ports.clock.nowMs())] : []),
    ],
    audit: audited(caller, 'updated', after),
  });
  return after;
}

export async function removeProvider(ports: RoutingPorts, caller: RoutingCaller, id: string): Promise<void> {
  const before = await getProvider(ports, caller, id);
  await ports.commit({
    // A provider that is created with the same id later has no history.
    writes: [providerRemoveWrite(before, changedMeanwhile), healthResetWrite(caller.organization_id, id, ports.clock.nowMs())],
    audit: audited(caller, 'removed', before),
  });
}

const trimmed = (url: string): string => url.replace(/\/+$/, '');
const originOf = (url: string): string | undefined => URL.parse(url)?.origin;
