import type { Agent } from '../../../agent/agent.ts';
import { createMemoryFiles } from '../../../agent/state/state-files.ts';
import { mortalPorts } from '../mortal-ports.ts';
import type { OrderWorld } from './order-world.ts';

/** An agent that the test kills: from then on none of its calls has an effect, and none is answered. */
export function createSilentAgent(world: OrderWorld): { agent: Agent; kill(): void } {
  const ports = { cluster: world.cluster, controlPlane: world.plane, files: createMemoryFiles() };
  const mortal = mortalPorts(ports);
  return { agent: world.create({}, mortal), kill: mortal.kill };
}
