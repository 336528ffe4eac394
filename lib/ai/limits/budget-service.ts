import { dashboardError, invalidField } from '../../identity/accounts/dashboard-errors.ts';
import { findKeyById } from '../../identity/api-keys/api-key-repository.ts';
import type { Actor, AuditEntry } from '../../identity/audit.ts';
import { findProject } from '../../identity/projects/project-repository.ts';
import { type Clock, timestamp } from '../../platform/clock.ts';
import type { Commit } from '../../platform/database/commit.ts';
import { ConditionFailed, type Database, type Item, queryAll, type Write } from '../../platform/database/database.ts';
import { newUlid } from '../../platform/ids.ts';
import { CONFIGURATION_LIMIT, configurationKey, configurationPk, configurationPrefix, gatewayTable } from '../gateway-table.ts';
import { picoUsdOf } from '../pricing/pico-usd.ts';
import { usageTable } from '../usage-table.ts';
import { type Budget, type NewBudget, publicBudget, StoredBudget } from './budget.ts';
import { type BudgetCounter, counterKey, counterOf, returnEndedLeases } from './budget-counter.ts';

export interface BudgetServicePorts {
  database: Database;
  clock: Clock;
  commit: Commit<AuditEntry>;
}

/** All budgets of one scope are reserved in one transaction with those of the two other scopes. */
const BUDGETS_OF_A_SCOPE = 10;
const MAX_ATTEMPTS = 5;

const keyOf = ({ organization_id, id }: Pick<StoredBudget, 'organization_id' | 'id'>) => configurationKey(organization_id, 'BUDGET', id);
const audited = (actor: Actor, verb: string, budget: StoredBudget): AuditEntry => {
  const { id, organization_id, scope, scope_id, period, limit_pico_usd } = budget;
  return {
    actor,
    action: `budget.${verb}`,
    resourceType: 'budget',
    resourceId: id,
    details: { organization_id, scope, scope_id, period, limit_pico_usd },
  };
};

export async function createBudget(ports: BudgetServicePorts, actor: Actor, organizationId: string, given: NewBudget): Promise<Budget> {
  const { database, clock } = ports;
  const { limit_usd, ...rest } = given;
  await checkScope(database, organizationId, given);
  const others = await storedBudgets(database, organizationId);
  if (others.length >= CONFIGURATION_LIMIT || others.filter(({ scope_id }) => scope_id === given.scope_id).length >= BUDGETS_OF_A_SCOPE)
    throw dashboardError('LIMIT_REACHED', { details: { limit: BUDGETS_OF_A_SCOPE } });
  const budget: StoredBudget = {
    ...rest,
    id: newUlid(clock.nowMs()),
    organization_id: organizationId,
    limit_pico_usd: String(picoUsdOf(limit_usd)),
    created_at: timestamp(clock),
  };
  const put: Item = { ...keyOf(budget), type: 'budget', ...budget };
  const answer = publicBudget(budget, undefined, clock.nowMs());
  await ports.commit({
    writes: [{ table: gatewayTable.name, put, if: { exists: false } }],
    answer,
    audit: audited(actor, 'created', budget),
  });
  return answer;
}

/** A budget limits what belongs to its organization. What does not is not told apart from what does not exist. */
async function checkScope(database: Database, organizationId: string, { scope, scope_id }: NewBudget): Promise<void> {
  const owner = {
    organization: async () => scope_id,
    project: async () => (await findProject(database, scope_id))?.organization_id,
    api_key: async () => (await findKeyById(database, scope_id))?.organization_id,
  };
  if ((await owner[scope]()) !== organizationId)
    throw invalidField(
      'scope_id',
      `must be ${scope === 'organization' ? 'this organization' : `${scope === 'project' ? 'a project' : 'an API key'} of this organization`}`,
    );
}

export async function listBudgets(ports: BudgetServicePorts, organizationId: string): Promise<Budget[]> {
  const nowMs = ports.clock.nowMs();
  const stored = await storedBudgets(ports.database, organizationId);
  const items = await ports.database.batchGet(
    usageTable.name,
    stored.map((budget) => counterKey(budget, nowMs)),
  );
  const counters = new Map(items.map((item) => [item.pk, counterOf(item)]));
  return Promise.all(
    stored.map(async (budget) => publicBudget(budget, await currentCounter(ports, counters.get(counterKey(budget, nowMs).pk)), nowMs)),
  );
}

export async function findBudget({ database }: BudgetServicePorts, organizationId: string, id: string): Promise<StoredBudget> {
  const item = await database.get(gatewayTable.name, configurationKey(organizationId, 'BUDGET', id));
  if (!item) throw dashboardError('BUDGET_NOT_FOUND');
  return StoredBudget.parse(item);
}

export async function readBudget(ports: BudgetServicePorts, stored: StoredBudget): Promise<Budget> {
  return publicBudget(stored, await currentCounter(ports, await counterNow(ports, stored)), ports.clock.nowMs());
}

/** Changes the limit, also of the period that has begun. What was spent and reserved in it stays. */
export async function updateBudget(ports: BudgetServicePorts, actor: Actor, before: StoredBudget, limitUsd: number): Promise<Budget> {
  const limit = picoUsdOf(limitUsd);
  let current = before;
  for (let attempt = 1; ; attempt++) {
    const after = { ...current, limit_pico_usd: String(limit) };
    const counter = await counterNow(ports, current);
    const writes: Write[] = [
      {
        table: gatewayTable.name,
        update: keyOf(current),
        set: { limit_pico_usd: after.limit_pico_usd },
        if: { exists: true, equals: { limit_pico_usd: current.limit_pico_usd } },
      },
      counterWrite(ports, current, counter, limit),
    ];
    try {
      await ports.commit({ writes, audit: audited(actor, 'updated', after) });
      return await readBudget(ports, after);
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === MAX_ATTEMPTS) throw error;
      current = await findBudget(ports, before.organization_id, before.id);
    }
  }
}

function counterWrite({ clock }: BudgetServicePorts, budget: StoredBudget, counter: BudgetCounter | undefined, limit: bigint): Write {
  const table = usageTable.name;
  // The first call of a period makes the counter with the stored limit. It must not do so with the old one meanwhile.
  if (counter === undefined) return { table, check: counterKey(budget, clock.nowMs()), if: { exists: false } };
  return { table, update: counter.key, set: { limit }, add: { left: limit - counter.limit }, if: { equals: { limit: counter.limit } } };
}

/** The budget no longer limits anything: here at once, in other instances as soon as a call reads its counter. */
export async function removeBudget(ports: BudgetServicePorts, actor: Actor, budget: StoredBudget): Promise<void> {
  const gone = () => dashboardError('BUDGET_NOT_FOUND');
  await ports.commit({
    writes: [
      { table: gatewayTable.name, delete: keyOf(budget), if: { exists: true }, orElse: gone },
      { table: usageTable.name, delete: counterKey(budget, ports.clock.nowMs()) },
    ],
    audit: audited(actor, 'deleted', budget),
  });
}

async function storedBudgets(database: Database, organizationId: string): Promise<StoredBudget[]> {
  const query = { pk: configurationPk(organizationId), prefix: configurationPrefix('BUDGET'), limit: CONFIGURATION_LIMIT };
  return (await queryAll(database, gatewayTable.name, query)).map((item) => StoredBudget.parse(item));
}

async function counterNow({ database, clock }: BudgetServicePorts, budget: StoredBudget): Promise<BudgetCounter | undefined> {
  const item = await database.get(usageTable.name, counterKey(budget, clock.nowMs()));
  return item && counterOf(item);
}

/** Whoever looks at a budget also returns what ended leases hold, so that the numbers are right without a schedule. */
const currentCounter = async ({ database, clock }: BudgetServicePorts, counter: BudgetCounter | undefined) =>
  counter && returnEndedLeases(database, counter, clock.nowMs());
