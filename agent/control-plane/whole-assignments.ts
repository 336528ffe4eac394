import type { Assignment, Assignments } from '../../lib/fleet/protocol/agent-protocol.ts';
import { ControlPlaneError, type KnownAssignments } from './control-plane.ts';

/** Asks for one page; 'unchanged' only if there is an ETag to compare. */
export type FetchAssignments = (query: Record<string, string>, etag?: string) => Promise<KnownAssignments | 'unchanged'>;

/** Half a million stacks. A control plane that never comes to an end must not fill the agent's memory. */
const PAGES_MAX = 100;

/** Makes one whole list out of what the control plane returns: pages of it, or what has changed since the known one. */
export async function wholeAssignments(
  known: KnownAssignments | undefined,
  fetch: FetchAssignments,
): Promise<KnownAssignments | 'unchanged'> {
  const etag = known?.etag;
  const first = await (known && etag !== undefined ? fetch({ since: known.value.revision }, etag) : fetch({}));
  if (first === 'unchanged') return first;
  const { since, unlisted = [], next, ...value } = first.value;
  if (since === undefined) return { etag: first.etag, value: { ...value, assignments: await allPages(value.assignments, next, fetch) } };
  if (since !== known?.value.revision) throw unreadable(`changes since ${since}, which is not known here`);
  return { etag: first.etag, value: { ...value, assignments: changed(known.value, value.assignments, unlisted) } };
}

async function allPages(first: readonly Assignment[], next: string | undefined, fetch: FetchAssignments): Promise<Assignment[]> {
  const all = [...first];
  let after = next;
  for (let pages = 1; after !== undefined; pages++) {
    if (pages === PAGES_MAX) throw unreadable(`more than ${PAGES_MAX} pages`);
    const page = await fetch({ after });
    if (page === 'unchanged') throw unreadable('a page without contents');
    all.push(...page.value.assignments);
    const following = page.value.next;
    if (following !== undefined && following <= after) throw unreadable('pages that do not go on');
    after = following;
  }
  return all;
}

function changed({ assignments }: Assignments, news: readonly Assignment[], unlisted: readonly string[]): Assignment[] {
  const byStack = new Map(assignments.map((assignment) => [assignment.stack_id, assignment]));
  for (const stackId of unlisted) byStack.delete(stackId);
  for (const assignment of news) byStack.set(assignment.stack_id, assignment);
  return [...byStack.values()];
}

const unreadable = (what: string) => new ControlPlaneError('unreadable', `assignments: the control plane returned ${what}`);
