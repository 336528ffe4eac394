import { queueFunction } from '../../lib/platform/events/queue-function.ts';
import { app } from '../app.ts';
import { workOrderDispatch } from './work-order-dispatch.ts';

export const handler = queueFunction(workOrderDispatch, app);
