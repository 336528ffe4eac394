import { queueFunction } from '../../lib/platform/events/queue-function.ts';
import { type AccountCleanUpPorts, accountCleanUp } from './account-clean-up.ts';
import { consumerServices } from './consumer-services.ts';

const services = consumerServices(({ database }): AccountCleanUpPorts => ({ database }));

export const handler = queueFunction(accountCleanUp, async () => services());
