import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTour, type Tour } from './readme-tour.ts';

let tour: Tour;
beforeAll(async () => {
  tour = await startTour();
}, 30_000);
afterAll(() => tour?.stop());

test("the README's tour of the gateway goes from a registration to an OpenAI client, a refused call and the record", async () => {
  const printed = await tour.walkGateway();
  expect(printed).toContain("provider: 'simulated'");
  expect(printed).toContain('1 2 3 4 5 6 7 8 9 10');
  expect(printed).toContain('0.001');
  expect(printed).toMatch(/budget/i);
  expect(printed).toContain("model: 'count-10'");
}, 60_000);
