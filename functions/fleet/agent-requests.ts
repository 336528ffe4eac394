import * as z from 'zod';
import { Agent } from '../../lib/fleet/agents/agent-rules.ts';
import { DescribedName } from '../../lib/platform/names.ts';
import { Id } from './fleet-endpoint.ts';

/** The creation of an agent, which has a path in each generation of the API. */
export const CreateAgentRequest = z
  .object({ name: DescribedName, cluster_name: DescribedName, generator_ids: z.array(Id).max(100).optional() })
  .meta({ id: 'CreateAgentRequest' });
export const CreateAgentResponse = z.object({ agent: Agent, initial_pak: z.string() }).meta({ id: 'CreateAgentResponse' });
