import { createTables } from '../../../infra/host/engines/create-tables.ts';
import { gatewayTable } from '../../../lib/ai/gateway-table.ts';
import type { ProjectSettings } from '../../../lib/ai/routing/project-settings.ts';
import { createSettingsReader } from '../../../lib/ai/routing/read-project-settings.ts';
import type { RoutingCaller, RoutingPorts } from '../../../lib/ai/routing/routing-ports.ts';
import { type AuditEntry, auditWrites } from '../../../lib/identity/audit.ts';
import type { ProjectFacts } from '../../../lib/identity/projects/project-facts.ts';
import { telemetryTable } from '../../../lib/identity/telemetry-table.ts';
import { createCommit } from '../../../lib/platform/database/commit.ts';
import { createDatabase } from '../../../lib/platform/database/document-client.ts';
import { dynamoDbClient } from '../../../lib/platform/database/dynamodb-client.ts';
import { AppError } from '../../../lib/platform/errors.ts';
import { workTable } from '../../../lib/platform/events/work-table.ts';
import { newUlid } from '../../../lib/platform/ids.ts';
import { createLog } from '../../../lib/platform/log.ts';
import { patientTransport, startTestDynamoDb } from '../../database/test-dynamodb.ts';
import { clockAt } from '../../fleet/test-clock.ts';

export const PROJECT_DEFAULTS: Omit<ProjectFacts, 'organization_id'> = {
  plan: 'free',
  requests_per_minute: 100,
  active: true,
  cache: { strategy: 'disabled', ttl_seconds: 300, similarity_threshold: 0.95, embedding_model: null },
  capture: 'metadata',
  redact: [],
};

/** The store with the tables of routing, its verbs' ports, and readers of settings. Sealing is a readable stand-in that checks its owner. */
export async function openRoutingWorld() {
  const engine = await startTestDynamoDb();
  const prefix = `routing-${process.pid}-${Date.now()}`;
  const tableName = (name: string) => `${prefix}-${name}`;
  const raw = dynamoDbClient({ endpoint: engine.endpoint, transport: patientTransport });
  await createTables(raw, [gatewayTable, telemetryTable, workTable], tableName);
  const database = createDatabase({ endpoint: engine.endpoint, transport: patientTransport, tableName });
  const clock = clockAt('2026-03-01T12:00:00.000Z');
  const logged: string[] = [];
  const log = createLog({ write: (line) => logged.push(line) });
  const projects = new Map<string, ProjectFacts>();
  let opened = 0;
  const ports: RoutingPorts = {
    database,
    clock,
    commit: createCommit<AuditEntry>({
      database,
      outbox: { table: workTable.name, clock, consumers: [] },
      auditWrites: (entry) => auditWrites(entry, { database, table: telemetryTable.name, clock, retentionDays: 1 }),
      afterCommit: () => {},
    }),
    sealing: {
      seal: async (text, associated) => `sealed:${associated}:${text}`,
      async open(sealed, associated) {
        opened++;
        if (!sealed.startsWith(`sealed:${associated}:`)) throw new Error('not sealed for this owner');
        return sealed.slice(`sealed:${associated}:`.length);
      },
    },
    async checkUpstream(url) {
      if (url.includes('169.254')) throw new AppError('bad_request', 'a forbidden address', { code: 'INVALID_INPUT' });
    },
  };
  const newOrganization = (): RoutingCaller => ({ organization_id: newUlid(clock.nowMs()), principal: { type: 'system' } });
  /** A new instance: it has opened no key and read nothing yet. */
  const settingsReader = (): ((projectId: string) => Promise<ProjectSettings>) =>
    createSettingsReader({
      database,
      log,
      findProject: async (id) => projects.get(id),
      openKey: ports.sealing.open,
    });
  return {
    ports,
    database,
    clock,
    log,
    logged,
    newOrganization,
    newProject(organization_id: string): string {
      const id = newUlid(clock.nowMs());
      projects.set(id, { ...PROJECT_DEFAULTS, organization_id });
      return id;
    },
    settingsReader,
    keysOpened: () => opened,
    async close() {
      database.close();
      raw.destroy();
      await engine.stop();
    },
  };
}
export type RoutingWorld = Awaited<ReturnType<typeof openRoutingWorld>>;
