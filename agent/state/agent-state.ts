import * as z from 'zod';
import { Assignments, NewAgentEvent } from '../../lib/fleet/protocol/agent-protocol.ts';
import type { Log } from '../../lib/platform/log.ts';
import type { StateFiles } from './state-files.ts';

/** The last report on a stack, delivered or about to be, so that it is sent once. */
export const Reported = z.object({ deployment_object_id: z.string(), event_type: z.string(), status: z.string(), digest: z.string() });
export type Reported = z.infer<typeof Reported>;

const Stack = z.object({
  sequence: z.int().optional(),
  reported: Reported.optional(),
  /** The stack's own annotations that say how to treat it. */
  annotations: z.record(z.string(), z.string()).optional(),
});

const Stored = z.object({
  version: z.literal(1),
  /** The owner: state of another agent or control plane is none. */
  identity: z.object({ agent_id: z.string(), agent_name: z.string(), cluster_name: z.string(), broker_url: z.string() }),
  assignments: z.object({ etag: z.string().optional(), value: Assignments }).optional(),
  stacks: z.record(z.string(), Stack),
  pending: z.array(z.object({ stack_id: z.string(), event: NewAgentEvent })),
});
type Stored = z.infer<typeof Stored>;
export type Identity = Stored['identity'];
export type PersistedProgress = z.infer<typeof Stack>;
export type PendingEvent = Stored['pending'][number];

/**
 * The agent's knowledge beyond the cluster: the last assignments, its reports, and those that it still has to send. Kept on disk so that it
 * goes on while the control plane is dark; losing it costs repeated reports and nothing else.
 */
export interface AgentState {
  readonly identity: Identity;
  assignments: Stored['assignments'];
  stack(stackId: string): PersistedProgress;
  /** Whatever is older than this deployment object is not applied any more. */
  noteApplied(stackId: string, sequence: number): void;
  /** After a withdrawal whatever is assigned next is new. */
  forgetSequence(stackId: string): void;
  /** Forgets what is known of all other stacks. */
  keepOnly(stackIds: ReadonlySet<string>): void;
  pending: PendingEvent[];
  /** Writes soon, many changes at once. A disk that fails is a warning: the agent goes on without. */
  changed(): void;
  settled(): Promise<void>;
}

const FILE = 'state.json';

/** The state of this very agent, or undefined if there is none or it can't be read. */
export async function loadState(files: StateFiles, log: Log, who: Omit<Identity, 'agent_id'>): Promise<Stored | undefined> {
  try {
    const text = await files.read(FILE);
    if (text === undefined) return undefined;
    const stored = Stored.parse(JSON.parse(text));
    const { identity } = stored;
    const same =
      identity.agent_name === who.agent_name && identity.cluster_name === who.cluster_name && identity.broker_url === who.broker_url;
    if (same && (stored.assignments?.value.agent_id ?? identity.agent_id) === identity.agent_id) return stored;
    log.warn('state_of_another_agent_ignored', { agent_id: identity.agent_id });
  } catch (error) {
    log.warn('unreadable_state_ignored', { error });
  }
  return undefined;
}

export function createAgentState(files: StateFiles, log: Log, identity: Identity, stored: Stored | undefined): AgentState {
  const kept = stored?.identity.agent_id === identity.agent_id ? stored : undefined;
  const stacks = new Map(Object.entries(kept?.stacks ?? {}));
  let writing: Promise<void> | undefined;
  let dirty = false;

  async function write(): Promise<void> {
    while (dirty) {
      dirty = false;
      const { assignments, pending } = state;
      const whole: Stored = { version: 1, identity, ...(assignments && { assignments }), stacks: Object.fromEntries(stacks), pending };
      try {
        await files.write(FILE, JSON.stringify(whole));
      } catch (error) {
        log.warn('state_not_written', { error });
      }
    }
    writing = undefined;
  }

  const state: AgentState = {
    identity,
    assignments: kept?.assignments,
    pending: kept?.pending ?? [],
    stack(stackId) {
      let record = stacks.get(stackId);
      if (!record) {
        record = {};
        stacks.set(stackId, record);
      }
      return record;
    },
    keepOnly(stackIds) {
      for (const stackId of stacks.keys()) if (!stackIds.has(stackId)) stacks.delete(stackId);
    },
    noteApplied(stackId, sequence) {
      const record = state.stack(stackId);
      if (record.sequence === sequence) return;
      record.sequence = sequence;
      state.changed();
    },
    forgetSequence(stackId) {
      const record = state.stack(stackId);
      delete record.sequence;
      delete record.annotations;
      state.changed();
    },
    changed() {
      dirty = true;
      writing ??= Promise.resolve().then(write);
    },
    settled: async () => {
      await writing;
    },
  };
  return state;
}
