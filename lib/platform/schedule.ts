import middy from '@middy/core';

/** Work that runs at an interval. Each run does a bounded part of what is to be done. Two runs may overlap. */
export interface Schedule<Services> {
  name: string;
  everySeconds: number;
  run(services: Services): Promise<void>;
}
export const scheduleFor =
  <Services>() =>
  (schedule: Schedule<Services>): Schedule<Services> =>
    schedule;

export type ScheduleFunction = (event?: unknown, context?: unknown) => Promise<void>;

/** A Lambda handler for one schedule. */
export function scheduleFunction<Services>(schedule: Schedule<Services>, host: () => Promise<{ services: Services }>): ScheduleFunction {
  const handler = middy<unknown, void>().handler((async () => schedule.run((await host()).services)) as never);
  return (event = {}, context = {}) => handler(event, context as never) as Promise<void>;
}
