const rights = require('./function-rights.cjs');
const { PREFIX, logicalName } = require('./names.cjs');

const QUEUE_ACTIONS = {
  // The code knows queues by name and looks up their addresses.
  send: ['sqs:GetQueueUrl', 'sqs:SendMessage'],
  consume: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
};
const SEALING_ACTIONS = { seal: 'kms:GenerateDataKey', open: 'kms:Decrypt' };
const arnOf = (logicalId) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });
const allow = (Action, Resource) => ({ Effect: 'Allow', Action, Resource });
/** A sender may be verified by itself or by its domain, so the identity has no certain name. The condition names the sender instead. */
const sendMail = {
  ...allow(['ses:SendEmail'], { 'Fn::Sub': `arn:\${AWS::Partition}:ses:\${AWS::Region}:\${AWS::AccountId}:identity/*` }),
  Condition: { StringEquals: { 'ses:FromAddress': `\${param:mailFrom}` } },
};

function statements(name, { tables = {}, queues = {}, mail = false, sealing = [] }) {
  return [
    // The streams of the function's own log group.
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], {
      'Fn::Sub': `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${PREFIX}-${name}:*`,
    }),
    ...Object.entries(tables).map(([table, actions]) =>
      allow(
        actions.map((action) => `dynamodb:${action}`),
        arnOf(`${logicalName(table)}Table`),
      ),
    ),
    ...(mail ? [sendMail] : []),
    ...Object.entries(queues).flatMap(([queue, uses]) => [
      allow(
        uses.flatMap((use) => QUEUE_ACTIONS[use]),
        arnOf(`${logicalName(queue)}Queue`),
      ),
      // A consumer itself moves malformed messages to the dead-letter queue.
      ...(uses.includes('consume') ? [allow(QUEUE_ACTIONS.send, arnOf(`${logicalName(queue)}DeadQueue`))] : []),
    ]),
    ...(sealing.length > 0
      ? [
          allow(
            sealing.map((use) => SEALING_ACTIONS[use]),
            arnOf('SealingKey'),
          ),
        ]
      : []),
  ];
}

const role = (name, functionRights) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    },
    Policies: [{ PolicyName: name, PolicyDocument: { Version: '2012-10-17', Statement: statements(name, functionRights) } }],
  },
});

/** A role for each function: `PakRole` and so on. */
module.exports = {
  Resources: Object.fromEntries(
    Object.entries(rights).map(([name, functionRights]) => [`${logicalName(name)}Role`, role(name, functionRights)]),
  ),
};
