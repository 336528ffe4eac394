/**
 * `npm run test:localstack`: deploys the queues, alarms and roles of the packaged template to LocalStack's CloudFormation, and runs the
 * queue tests on its SQS. Not part of `npm test`: it needs a Python 3.13, and fetches a hundred packages the first time.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackResourcesCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import { GetQueueAttributesCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { queueGroups } from '../../functions/registry.ts';
import { MAX_RECEIVE_COUNT, VISIBILITY_TIMEOUT_SECONDS } from '../../infra/host/engines/create-queues.ts';
import { sqsClient } from '../../lib/platform/queue/sqs-queues.ts';
import { engineCache, freePort, runTests, startEngineProcess } from '../database/engine-process.ts';
import { packageDeployment } from '../infra/packaged-deployment.ts';
import { findPython, installLocalStack } from './localstack-files.ts';
import { queueResources } from './queue-resources.ts';

const StackName = 'brokkr-dev';

const found = await findPython();
if (found === undefined) {
  console.error('LocalStack needs Python 3.13, which is neither on the PATH nor among pyenv’s versions');
  process.exit(1);
}
const python = await installLocalStack(found, console.log);
const port = await freePort();
const endpoint = `http://127.0.0.1:${port}`;
const engine = await startEngineProcess({
  name: 'localstack',
  command: python,
  args: ['-m', 'localstack.runtime.main'],
  cwd: engineCache('localstack'),
  env: {
    GATEWAY_LISTEN: `127.0.0.1:${port}`,
    SKIP_SSL_CERT_DOWNLOAD: '1',
    DISABLE_EVENTS: '1',
    DNS_ADDRESS: '0',
    // The files go into the cache, even in a container.
    OVERRIDE_IN_DOCKER: '0',
    FILESYSTEM_ROOT: join(engineCache('localstack'), 'files'),
  },
  url: `${endpoint}/_localstack/health`,
  withinMs: 60_000,
});
console.log(`LocalStack answers on ${endpoint}`);
try {
  await deploy();
  await checkQueues();
  const [, , ...more] = process.argv;
  process.exitCode = await runTests(['--testPathPatterns', 'test/database/(consumer|outbox)', ...more], { SQS_ENDPOINT: endpoint });
} finally {
  await engine.stop();
}

/** Deploys the template, or throws an error that names the resource that could not be created. */
async function deploy(): Promise<void> {
  const deployment = await packageDeployment();
  const template = queueResources(deployment);
  await deployment.remove();
  const client = new CloudFormationClient({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
  await client.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify(template), Capabilities: ['CAPABILITY_IAM'] }));
  await waitUntilStackCreateComplete({ client, maxWaitTime: 120, minDelay: 1, maxDelay: 2 }, { StackName });
  const { StackResources = [] } = await client.send(new DescribeStackResourcesCommand({ StackName }));
  const states = new Map(StackResources.map(({ LogicalResourceId = '', ResourceStatus }) => [LogicalResourceId, ResourceStatus]));
  for (const id of Object.keys(template.Resources)) assert.equal(states.get(id), 'CREATE_COMPLETE', id);
  const counted = Map.groupBy(Object.values(template.Resources), ({ Type }) => Type);
  for (const [type, resources] of counted) console.log(`  ${String(resources.length).padStart(3)} ${type}`);
  client.destroy();
}

/** Checks that the deployed queues have the same settings as those of the one-process host. */
async function checkQueues(): Promise<void> {
  const client = sqsClient({ endpoint });
  for (const { consumer } of queueGroups) {
    const attributesOf = async (QueueName: string) => {
      const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName }));
      return (await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {};
    };
    const [queue, dead] = [await attributesOf(`${StackName}-${consumer.queue}`), await attributesOf(`${StackName}-${consumer.queue}-dead`)];
    assert.equal(queue.VisibilityTimeout, String(VISIBILITY_TIMEOUT_SECONDS));
    assert.deepEqual(JSON.parse(queue.RedrivePolicy ?? ''), { deadLetterTargetArn: dead.QueueArn, maxReceiveCount: MAX_RECEIVE_COUNT });
    assert.equal(dead.MessageRetentionPeriod, String(14 * 86_400));
  }
  client.destroy();
}
