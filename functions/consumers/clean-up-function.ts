import { queueFunction } from '../../lib/platform/events/queue-function.ts';
import { app } from '../app.ts';
import { cleanUpConsumer } from './clean-up-consumer.ts';

export const handler = queueFunction(cleanUpConsumer, app);
