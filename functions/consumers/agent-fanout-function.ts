import { queueFunction } from '../../lib/platform/events/queue-function.ts';
import { app } from '../app.ts';
import { agentFanout } from './agent-fanout.ts';

export const handler = queueFunction(agentFanout, app);
