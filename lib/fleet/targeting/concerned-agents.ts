import type { Database } from '../../platform/database/database.ts';
import type { Bounds, Segment } from '../../platform/events/segments.ts';
import { agentMatchPk, fleetTable, type Selector, stackPk, stackTargetKey } from '../fleet-table.ts';
import type { FleetChange } from './fleet-changed.ts';
import { findStackSelectors } from './selection.ts';

/**
 * Finds the agents that a change may concern, by id. An agent's edge for a label or an annotation stands under each generator that the
 * agent is registered with, and nowhere else, so a tenant's change never reaches an agent that didn't consent. An explicit target needs no
 * further check: it is made only for a registered agent, and is removed with the registration.
 */
const table = fleetTable.name;
/** One query of a source reads at least this many edges. */
const MIN_PAGE = 100;

export interface ConcernedAgent {
  id: string;
  /** The agent has an explicit target to the stack. */
  targeted: boolean;
}

/** A partition of edges, whose sort keys are agents' ids in rising order. */
interface Source {
  pk: string;
  prefix: string;
  targeted: boolean;
}

export async function concernedAgents(database: Database, change: FleetChange, bounds: Bounds): Promise<Segment<ConcernedAgent>> {
  if (change.kind === 'agent-changed') return { things: [{ id: change.agent_id, targeted: false }] };
  return mergedSegment(database, await sourcesOf(database, change), bounds);
}

async function sourcesOf(database: Database, change: Exclude<FleetChange, { kind: 'agent-changed' }>): Promise<Source[]> {
  const targeting = { pk: stackPk(change.stack_id), prefix: stackTargetKey('', '').sk, targeted: true };
  const matching = (selector: Selector) => ({ pk: agentMatchPk(change.generator_id, selector), prefix: '', targeted: false });
  switch (change.kind) {
    case 'stack-changed':
      return [targeting, ...((await findStackSelectors(database, change.stack_id))?.selectors ?? []).map(matching)];
    case 'stack-removed':
      return [targeting, ...change.selectors.map(matching)];
    case 'selector-changed':
      return [matching(change.selector)];
  }
}

/**
 * Merges the ids of all sources in rising order, each once, so that one id says how far all sources are read. The merged ids are complete
 * up to the lowest last id among the sources that have more pages.
 */
async function mergedSegment(
  database: Database,
  sources: readonly Source[],
  { after, until, limit }: Bounds,
): Promise<Segment<ConcernedAgent>> {
  const size = Math.max(MIN_PAGE, Math.ceil(limit / sources.length));
  const things: ConcernedAgent[] = [];
  for (let from = after; ; ) {
    const pages = await Promise.all(sources.map((source) => readPage(database, source, size, from)));
    const end = lowest(pages.flatMap(({ next }) => next ?? []));
    const complete = merged(pages).filter(({ id }) => end === undefined || id <= end);
    const within = until === undefined ? complete.slice(0, limit - things.length) : complete.filter(({ id }) => id <= until);
    things.push(...within);
    const last = things.at(-1)?.id;
    if (within.length < complete.length) return until === undefined && last !== undefined ? { things, next: last } : { things };
    if (end === undefined || (until !== undefined && end >= until)) return { things };
    if (until === undefined && things.length >= limit) return { things, next: end };
    from = end;
  }
}

/** Returns each agent once, by id. */
function merged(pages: readonly { source: Source; ids: readonly string[] }[]): ConcernedAgent[] {
  const targeted = new Map<string, boolean>();
  for (const { source, ids } of pages) for (const id of ids) targeted.set(id, source.targeted || targeted.get(id) === true);
  return [...targeted].map(([id, is]) => ({ id, targeted: is })).sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function readPage(database: Database, source: Source, limit: number, after?: string) {
  const { pk, prefix } = source;
  const page = await database.query(table, { pk, prefix, limit, fields: [], ...(after !== undefined && { after: `${prefix}${after}` }) });
  return { source, ids: page.items.map(({ sk }) => sk.slice(prefix.length)), next: page.next?.slice(prefix.length) };
}

const lowest = (ids: readonly string[]): string | undefined =>
  ids.reduce<string | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined);
