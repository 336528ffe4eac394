import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTour, type Tour } from './readme-tour.ts';

let tour: Tour;
beforeAll(async () => {
  tour = await startTour();
}, 30_000);
afterAll(() => tour?.stop());

test("the README's tour ends with the objects applied and a SUCCESS event", async () => {
  const event = await tour.walk('memory');
  expect(event).toContain("event_type: 'DEPLOY'");
  expect(event).toContain("status: 'SUCCESS'");
  expect(event).toContain('objects_total: 2');
}, 60_000);
