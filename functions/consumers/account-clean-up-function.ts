import { queueFunction } from '../../lib/platform/events/queue-function.ts';
import { accountCleanUp } from './account-clean-up.ts';
import { accountCleanUpServices } from './account-clean-up-services.ts';

export const handler = queueFunction(accountCleanUp, async () => accountCleanUpServices());
