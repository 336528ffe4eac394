import { sweepOutbox } from '../../lib/platform/events/outbox.ts';
import { scheduleFor, scheduleFunction } from '../../lib/platform/schedule.ts';
import { app } from '../app.ts';
import type { Services } from '../services.ts';

/** Relays what the request that wrote it could not: nothing waits longer than a minute while the queues are there. */
export const outboxSweep = scheduleFor<Services>()({
  name: 'outbox-sweep',
  everySeconds: 60,
  async run({ outbox, log }) {
    const { relayed, left } = await sweepOutbox(outbox);
    if (relayed + left > 0) log.info('outbox_swept', { relayed, left });
  },
});
export const handler = scheduleFunction(outboxSweep, app);
