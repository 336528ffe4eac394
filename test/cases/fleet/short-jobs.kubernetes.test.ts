import { expect } from '@jest/globals';
import { object } from './manifests.ts';
import { attempts, objects, post, restart, withNamespace } from './steps.ts';
import { describeStories, type Step } from './stories.ts';

const job = object('batch/v1', 'Job', 'once', {
  spec: {
    ttlSecondsAfterFinished: 0,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'once', image: 'registry.example.com/once:1' }] } },
  },
});

/** How often the Job was made, by the events of its controller: one for each pod. */
const ranOnce: Step = async ({ kubectl }) => {
  const reasons = await kubectl(['get', 'events', '--field-selector=involvedObject.kind=Job,reason=SuccessfulCreate', '--output=name']);
  expect(reasons.trim().split('\n')).toHaveLength(1);
};

describeStories('a Job that is cleared away as soon as it is done', (story) => {
  story('runs once', [withNamespace, post(objects(job)), attempts('correct-drift', 2), restart, attempts('correct-drift', 1), ranOnce], {
    healthTimeoutMs: 2_000,
  });
});
