import type { Clock } from '../lib/platform/clock.ts';
import type { Log } from '../lib/platform/log.ts';
import { type ControlPlane, ControlPlaneError } from './control-plane/control-plane.ts';

/** The control plane says that this agent is not the one it should be: no use in going on. */
export class NotThisAgentError extends Error {
  override name = 'NotThisAgentError';
}

interface JoinOptions {
  controlPlane: ControlPlane;
  agentName: string;
  clusterName: string;
  generatorIds: readonly string[];
  log: Log;
  stop: AbortSignal;
}

const RETRY_MS = 1_000;
const CHECK_KEY = 'check BROKKR__AGENT__PAK, or the file of BROKKR__AGENT__PAK_FILE';
const CHECK_NAME = 'check BROKKR__AGENT__AGENT_NAME and BROKKR__AGENT__CLUSTER_NAME';

/** Asks once a second, `retries` more times at the most. */
export async function waitUntilReady(
  controlPlane: ControlPlane,
  { retries, clock, log, stop }: { retries: number; clock: Clock; log: Log; stop: AbortSignal },
): Promise<boolean> {
  for (let attempt = 0; ; attempt += 1) {
    if (await controlPlane.ready(stop)) return true;
    if (attempt >= retries) return false;
    if (attempt % 10 === 0) log.warn('control_plane_not_ready', { attempt });
    await clock.sleep(RETRY_MS, stop);
  }
}

/**
 * Who this agent is, by its key and by its name: both must say the same. Registers with the generators asked for; if that fails,
 * it only serves no stacks of theirs. Rejects with a ControlPlaneError, or a NotThisAgentError which no waiting will mend.
 */
export async function join({ controlPlane, agentName, clusterName, generatorIds, log, stop }: JoinOptions): Promise<string> {
  const named = `agent "${agentName}" in cluster "${clusterName}"`;
  const { agent } = await controlPlane.whoAmI(stop).catch(explain([401], `the control plane does not know this key: ${CHECK_KEY}`));
  if (agent === null) throw new NotThisAgentError(`the key is not an agent's: ${CHECK_KEY}`);
  const record = await controlPlane
    .findAgent(agentName, clusterName, stop)
    .catch(explain([403, 404], `no ${named} that this key may see: ${CHECK_NAME}`));
  if (record.id !== agent)
    throw new NotThisAgentError(`the key belongs to agent ${agent}, but ${named} is agent ${record.id}: ${CHECK_NAME}`);
  for (const generatorId of generatorIds) {
    try {
      await controlPlane.register(generatorId, stop);
    } catch (error) {
      if (!(error instanceof ControlPlaneError)) throw error;
      log.warn('not_registered_with_generator', { generator_id: generatorId, error });
    }
  }
  return agent;
}

/** Explains an answer of the control plane to the operator who set the agent up. */
const explain =
  (statuses: readonly number[], meaning: string) =>
  (cause: unknown): never => {
    if (cause instanceof ControlPlaneError && statuses.includes(cause.status)) throw new NotThisAgentError(meaning, { cause });
    throw cause;
  };

/** Whether the control plane answered and refuses this agent. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof NotThisAgentError || (error instanceof ControlPlaneError && error.fault === 'refused');
