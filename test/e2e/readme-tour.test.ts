import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTour, type Tour } from './readme-tour.ts';

let tour: Tour;
beforeAll(async () => {
  tour = await startTour();
}, 30_000);
afterAll(() => tour?.stop());

test("the README's tour ends with the objects applied, a template instantiated and a Job that has succeeded", async () => {
  const event = await tour.walk('memory');
  expect(event).toContain("event_type: 'DEPLOY'");
  expect(event).toContain("status: 'SUCCESS'");
  expect(event).toContain('objects_total: 2');
  expect(event).toContain('data: {text: "HELLO AGAIN"}');
  expect(event).toMatch(/applied 1 object; Job\/web\/migrate-\w+-a1 succeeded/);
}, 60_000);

test("the README's tour leaves no file behind", () => {
  expect(tour.files()).toEqual(['data']);
});

test("the README's tour tells a reader that the key was not replaced", async () => {
  expect(await tour.walkWithoutKey()).toBe('An empty answer: is ADMIN the key that the start has shown?\n');
});

test("the README's commands start an agent as a process, with its own key", async () => {
  expect(await tour.runAgent()).toContain('"event":"agent_started"');
});
