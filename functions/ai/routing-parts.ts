import { loadPriceBook } from '../../lib/ai/pricing/price-book.ts';
import { createHealthMonitor, type HealthMonitor } from '../../lib/ai/routing/health/health-monitor.ts';
import type { PlanRequest, RoutingPlan } from '../../lib/ai/routing/plan-types.ts';
import { createPlanner, type Planner } from '../../lib/ai/routing/planning/planner.ts';
import type { ProjectSettings } from '../../lib/ai/routing/project-settings.ts';
import { createSettingsReader } from '../../lib/ai/routing/read-project-settings.ts';
import { createSettingsCache, type SettingsCache } from '../../lib/ai/routing/settings-cache.ts';
import { type AuditEntry, auditWrites } from '../../lib/identity/audit.ts';
import { findProjectFacts } from '../../lib/identity/projects/project-facts.ts';
import { telemetryTable } from '../../lib/identity/telemetry-table.ts';
import { type Commit, createCommit } from '../../lib/platform/database/commit.ts';
import { workTable } from '../../lib/platform/events/work-table.ts';
import { randomFraction } from '../../lib/platform/ids.ts';
import { oncePerRuntime } from '../runtime.ts';
import { secrets } from '../secrets.ts';
import { store } from '../store.ts';

/** Changes of routing with their audit entries. No consumer listens to them yet. */
export const routingCommit = oncePerRuntime((runtime): Commit<AuditEntry> => {
  const { clock, config } = runtime;
  const { database } = store(runtime);
  const audit = { database, table: telemetryTable.name, clock, retentionDays: config.BROKKR_AUDIT_RETENTION_DAYS };
  return createCommit<AuditEntry>({
    database,
    outbox: { table: workTable.name, clock, consumers: [] },
    auditWrites: (entry) => auditWrites(entry, audit),
    afterCommit: () => {},
  });
});

/** This process's memory of projects' settings. All functions of a process share it, so that a change shows at once where it was made. */
export const projectSettings = oncePerRuntime((runtime): SettingsCache => {
  const { clock, log } = runtime;
  const { database } = store(runtime);
  return createSettingsCache({
    clock,
    load: createSettingsReader({
      database,
      log,
      findProject: (id) => findProjectFacts(database, id),
      openKey: (sealed, associated) => secrets(runtime).open(sealed, associated),
    }),
  });
});

/** What this process knows of its callers' providers. Flush it before the process is frozen, close it before the process ends. */
export const providerHealth = oncePerRuntime((runtime): HealthMonitor => {
  const { clock, log } = runtime;
  return createHealthMonitor({ database: store(runtime).database, commit: routingCommit(runtime), clock, log });
});

export const planner = oncePerRuntime(async ({ clock }): Promise<Planner> => createPlanner({ book: await loadPriceBook(), clock }));

/** Plans a call as of now. If its first attempt is a provider's one try after an outage, no other call tries. */
export const callPlanner = oncePerRuntime(async (runtime): Promise<(request: PlanRequest, settings: ProjectSettings) => RoutingPlan> => {
  const [{ plan }, health] = [await planner(runtime), providerHealth(runtime)];
  return (request, settings) => {
    const made = plan(request, settings, health.healthOf(settings.organization_id), randomFraction);
    health.planned(settings.organization_id, made);
    return made;
  };
});
