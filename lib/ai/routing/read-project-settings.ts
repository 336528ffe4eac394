import type * as z from 'zod';
import { dashboardError } from '../../identity/accounts/dashboard-errors.ts';
import type { ProjectFacts } from '../../identity/projects/project-facts.ts';
import { createBoundedCache } from '../../platform/bounded-cache.ts';
import { type Database, type Item, queryAll } from '../../platform/database/database.ts';
import type { Log } from '../../platform/log.ts';
import { CONFIGURATION_LIMIT, type ConfigurationKind, configurationPk, configurationPrefix, gatewayTable } from '../gateway-table.ts';
import { SIMULATED_MODELS } from '../providers/simulated/simulated-provider.ts';
import { StoredBudgetReference, usableBudget } from './configuration/budget-reference.ts';
import { StoredModelGroup } from './configuration/model-group.ts';
import { plainPrices, StoredPriceOverride, usableOverride } from './configuration/price-override.ts';
import { DEFAULT_POLICY, StoredRoutingPolicy } from './configuration/routing-policy.ts';
import type { ProjectSettings, UsableProvider } from './project-settings.ts';
import { SIMULATED, StoredProvider, sealedFor } from './providers/provider-config.ts';
import { presetOf } from './providers/provider-presets.ts';

export interface SettingsPorts {
  database: Database;
  log: Log;
  findProject(projectId: string): Promise<ProjectFacts | undefined>;
  /** Opens a provider's sealed key. */
  openKey(sealed: string, associated: string): Promise<string>;
}

/** Opened keys, by their sealed text. A changed key has another text, so that an entry never has to be thrown away. */
const MAX_KEYS = 10_000;
/** Two callers that pass the limit at once store an entry or two more; they are read too. */
const READ_LIMIT = CONFIGURATION_LIMIT + 100;

/** Reads all that a call needs to know of its project: one read of the project, and one query of its organization's configuration. */
export function createSettingsReader(ports: SettingsPorts): (projectId: string) => Promise<ProjectSettings> {
  const { database, log, findProject } = ports;
  const keys = createBoundedCache<string>(MAX_KEYS);

  const keyOf = async ({ sealed_key, organization_id, id }: StoredProvider): Promise<string> => {
    if (sealed_key === null) return '';
    const known = keys.get(sealed_key);
    if (known !== undefined) return known;
    const key = await ports.openKey(sealed_key, sealedFor(organization_id, id));
    keys.set(sealed_key, key);
    return key;
  };

  /** A provider whose key can't be opened is left out, and the others work. It is never asked without its key. */
  const usable = async (stored: StoredProvider): Promise<UsableProvider | undefined> => {
    try {
      return usableProvider(stored, await keyOf(stored));
    } catch (error) {
      log.error('provider_key_not_opened', { organization: stored.organization_id, provider: stored.id, error });
      return undefined;
    }
  };

  return async (projectId) => {
    const project = await findProject(projectId);
    if (!project) throw dashboardError('PROJECT_NOT_FOUND');
    const items = await queryAll(database, gatewayTable.name, { pk: configurationPk(project.organization_id), limit: READ_LIMIT });
    const entries = <S extends z.ZodType>(kind: ConfigurationKind, schema: S) => parsed(items, kind, schema, log);
    const stored = entries('PROVIDER', StoredProvider).filter(({ project_id }) => project_id === null || project_id === projectId);
    const providers = await Promise.all(stored.map(usable));
    const policy = entries('POLICY', StoredRoutingPolicy).find(({ project_id }) => project_id === projectId)?.policy;
    return {
      ...project,
      project_id: projectId,
      providers: [...providers.filter((provider) => provider !== undefined), simulatedProvider],
      groups: entries('GROUP', StoredModelGroup).map(({ id, targets, priority }) => ({ id, targets, priority })),
      policy: policy ?? DEFAULT_POLICY,
      prices: entries('PRICE', StoredPriceOverride).map(usableOverride),
      budgets: entries('BUDGET', StoredBudgetReference).map(usableBudget),
    };
  };
}

/** An entry that is not of its form is left out with a log line: one bad entry stops no call that doesn't need it. */
function parsed<S extends z.ZodType>(items: readonly Item[], kind: ConfigurationKind, schema: S, log: Log): z.output<S>[] {
  return items.flatMap((item) => {
    if (!item.sk.startsWith(configurationPrefix(kind))) return [];
    const result = schema.safeParse(item);
    if (result.success) return [result.data];
    log.error('configuration_unreadable', { key: `${item.pk} ${item.sk}`, issues: result.error.issues.map(({ path }) => path.join('.')) });
    return [];
  });
}

function usableProvider(stored: StoredProvider, apiKey: string): UsableProvider {
  const { id, kind, preset, base_url, name, enabled, priority, weight, timeout_seconds, max_retries, models, stream_usage } = stored;
  const { wire } = presetOf(kind, preset);
  return {
    provider_id: id,
    type: wire,
    base_url,
    api_key: apiKey,
    ...(stream_usage === false && { without_stream_usage: true }),
    name,
    enabled,
    priority,
    weight,
    timeout_seconds,
    max_retries,
    models: models.map(({ prices, ...model }) => (prices ? { ...model, prices: plainPrices(prices) } : model)),
  };
}

/** Every project has it, without configuration. It serves only models named `simulated/…`. */
export const simulatedProvider: UsableProvider = {
  provider_id: SIMULATED,
  type: 'simulated',
  base_url: '',
  api_key: '',
  name: 'Simulated',
  enabled: true,
  priority: 0,
  weight: undefined,
  timeout_seconds: 30,
  max_retries: 2,
  models: SIMULATED_MODELS.map((id) => ({ id })),
};
