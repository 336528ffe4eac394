import { ConditionFailed, type Database, queryAll, type Write } from '../../platform/database/database.ts';
import { acknowledge, type OutboxItem, type RelayPorts } from '../../platform/events/outbox.ts';
import { moveRevisionWrite } from '../agents/agent-repository.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import { agentMatchKey, agentPk, fleetTable, SELECT_PREFIX, type Selector, stackPk } from '../fleet-table.ts';
import { listStacksOf } from '../stacks/stack-repository.ts';
import { removeOrphanedStack } from '../stacks/stack-service.ts';
import { AGENT_FANOUT_QUEUE, type FleetChange, FleetChange as FleetChangeSchema, fleetChanged } from './fleet-changed.ts';
import { refreshMatchEdges, removeMatchEdges } from './match-edges.ts';
import { agentsSelectedBy, agentsTargeting, type EdgePage, selectorsOfStack } from './matching.ts';
import { listRegistrationsWith, registrationRemoveWrites } from './registration-repository.ts';
import { dropTarget, targetRemoveWrites } from './target-service.ts';

/**
 * Tells the agents that a change may concern, by moving their revisions. It runs after the change is stored: an agent that comes to
 * match before this reads the edges is in them, and one that comes to match later is told by its own change. Running it again, or
 * for an agent that isn't concerned after all, only costs that agent one look.
 */
const PAGE = 100;
/** A change that concerns more agents than this goes through the queue, so that no request waits for a crowd. */
const INLINE_AGENTS = 50;

const table = fleetTable.name;

/** More agents are concerned than the caller is willing to wait for; nothing is lost, whoever goes on starts afresh. */
class TooMany extends Error {
  override name = 'TooMany';
}

interface Budget {
  left: number;
}

/** Settles what concerns few agents right here; returns what is for the queue. */
export async function settleInline(
  at: FleetPorts,
  items: readonly OutboxItem[],
  outbox: Pick<RelayPorts, 'database' | 'table'>,
): Promise<OutboxItem[]> {
  const rest: OutboxItem[] = [];
  for (const item of items) {
    const done = item.event === fleetChanged.name && (await settled(at, FleetChangeSchema.parse(item.data)));
    const left = done ? await acknowledge(item, AGENT_FANOUT_QUEUE, outbox) : item;
    if (left) rest.push(left);
  }
  return rest;
}

async function settled(at: FleetPorts, change: FleetChange): Promise<boolean> {
  try {
    await fanOut(at, change, { left: INLINE_AGENTS });
    return true;
  } catch (error) {
    if (error instanceof TooMany) return false;
    throw error;
  }
}

export async function fanOut(at: FleetPorts, change: FleetChange, budget: Budget = { left: Number.POSITIVE_INFINITY }): Promise<void> {
  const { database } = at;
  switch (change.kind) {
    case 'stack-changed': {
      // Before revisions move: whoever looks because of the move must find the new head.
      await refreshMatchEdges(database, change.stack_id);
      const selectors = await selectorsOfStack(database, change.stack_id);
      return tellAll(
        database,
        change.stack_id,
        [targeting(database, change.stack_id), ...selectors.map((selector) => selected(database, selector))],
        budget,
      );
    }
    case 'selector-changed':
      return tellAll(database, change.stack_id, [selected(database, change.selector)], budget);
    case 'stack-removed':
      return stackRemoved(at, change, budget);
    case 'agent-removed':
      return agentRemoved(database, change.agent_id, budget);
    case 'generator-removed':
      return generatorRemoved(at, change, budget);
  }
}

type Pages = (after?: string) => Promise<EdgePage>;
const targeting =
  (database: Database, stackId: string): Pages =>
  (after) =>
    agentsTargeting(database, stackId, PAGE, after);
const selected =
  (database: Database, selector: Selector): Pages =>
  (after) =>
    agentsSelectedBy(database, selector, PAGE, after);

/** Each agent once, even where several edges lead to it. Sources are read side by side, pages of one in turn. */
async function tellAll(database: Database, stackId: string, sources: readonly Pages[], budget: Budget): Promise<void> {
  const told = new Set<string>();
  await Promise.all(
    sources.map(async (source) => {
      let after: string | undefined;
      do {
        const page: EdgePage = await source(after);
        const fresh = page.ids.filter((id) => !told.has(id));
        for (const id of fresh) told.add(id);
        budget.left -= fresh.length;
        if (budget.left < 0 || (page.next !== undefined && budget.left < PAGE)) throw new TooMany();
        await Promise.all(fresh.map((id) => tell(database, id, stackId)));
        after = page.next;
      } while (after !== undefined);
    }),
  );
}

async function tell(database: Database, agentId: string, stackId: string): Promise<void> {
  try {
    await database.write(moveRevisionWrite(agentId, { stackId }));
  } catch (error) {
    // The agent is gone, and its edge about to follow it.
    if (!(error instanceof ConditionFailed)) throw error;
  }
}

async function stackRemoved(
  { database }: FleetPorts,
  { stack_id, generator_id }: { stack_id: string; generator_id: string },
  budget: Budget,
): Promise<void> {
  const selectors = await selectorsOfStack(database, stack_id);
  // Before revisions move: whoever looks because of the move must not find the stack.
  await removeMatchEdges(database, { id: stack_id, generator_id });
  await tellAll(database, stack_id, [targeting(database, stack_id), ...selectors.map((selector) => selected(database, selector))], budget);
  // Targets, labels and annotations go last: whoever repeats this after a crash still finds whom to tell.
  for (;;) {
    const { ids } = await agentsTargeting(database, stack_id, PAGE);
    if (ids.length === 0) break;
    await Promise.all(ids.map((agentId) => dropTarget(database, agentId, stack_id)));
  }
  await clear(database, stackPk(stack_id), 'LABEL#');
  await clear(database, stackPk(stack_id), 'ANNOTATION#');
}

async function agentRemoved(database: Database, agentId: string, budget: Budget): Promise<void> {
  const edges = await queryAll(database, table, { pk: agentPk(agentId), prefix: SELECT_PREFIX, limit: 10_000 });
  if (edges.length > budget.left) throw new TooMany();
  const inverse = edges.flatMap((edge): Write[] => {
    if (edge.type === 'target') return targetRemoveWrites(agentId, String(edge.stack_id));
    if (edge.type === 'registration') return registrationRemoveWrites(agentId, String(edge.generator_id));
    const selector: Selector =
      edge.type === 'agent-label' ? { label: String(edge.label) } : { key: String(edge.key), value: String(edge.value) };
    return [{ table, delete: agentMatchKey(selector, agentId) }];
  });
  await removeAll(database, inverse);
  await clear(database, agentPk(agentId));
}

/** Deletes what is left in a partition, a page at a time. */
async function clear(database: Database, pk: string, prefix?: string): Promise<void> {
  for (;;) {
    const page = await database.query(table, { pk, limit: PAGE, fields: [], ...(prefix && { prefix }) });
    if (page.items.length === 0) return;
    await removeAll(
      database,
      page.items.map(({ sk }) => ({ table, delete: { pk, sk } })),
    );
  }
}

async function generatorRemoved(
  at: FleetPorts,
  { generator_id: generatorId, by }: Extract<FleetChange, { kind: 'generator-removed' }>,
  budget: Budget,
): Promise<void> {
  const [stacks, registrations] = await Promise.all([
    listStacksOf(at.database, generatorId),
    listRegistrationsWith(at.database, generatorId),
  ]);
  if (stacks.length + registrations.length > budget.left) throw new TooMany();
  for (const stack of stacks) await removeOrphanedStack(at, by, stack.id);
  await removeAll(
    at.database,
    registrations.flatMap(({ agent_id }) => registrationRemoveWrites(agent_id, generatorId)),
  );
}

/** Deletes that need no condition and may be repeated, a few at a time. */
async function removeAll(database: Database, writes: readonly Write[]): Promise<void> {
  for (let at = 0; at < writes.length; at += 25) await Promise.all(writes.slice(at, at + 25).map((write) => database.write(write)));
}
