const rights = require('./function-rights.cjs');
const { PREFIX, logicalName } = require('./names.cjs');

/** All alarms go to one topic. Subscribe a pager or a mailbox to it. */
const always = {
  EvaluationPeriods: 1,
  Threshold: 0,
  ComparisonOperator: 'GreaterThanThreshold',
  TreatMissingData: 'notBreaching',
  AlarmActions: [{ Ref: 'AlarmTopic' }],
  OKActions: [{ Ref: 'AlarmTopic' }],
};
const alarm = (AlarmDescription, metric, more = {}) => ({
  Type: 'AWS::CloudWatch::Alarm',
  Properties: { AlarmDescription, Statistic: 'Sum', Period: 60, ...always, ...metric, ...more },
});
const dimension = (Name, Value) => [{ Name, Value }];

/** One alarm covers errors and throttles, to save resources of the stack (docs/decisions/0014-below-500-resources.md). */
const forFunction = (name) => {
  const metric = (Id, MetricName) => ({
    Id,
    MetricStat: {
      Metric: { Namespace: 'AWS/Lambda', MetricName, Dimensions: dimension('FunctionName', `${PREFIX}-${name}`) },
      Period: 60,
      Stat: 'Sum',
    },
    ReturnData: false,
  });
  return {
    [`${logicalName(name)}Alarm`]: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmDescription: `${name} failed as a whole (it crashed, or ran out of time or memory), or was refused since no instance was left`,
        Metrics: [
          metric('errors', 'Errors'),
          metric('throttles', 'Throttles'),
          { Id: 'troubles', Expression: 'errors + throttles', Label: `${name}: errors and throttles` },
        ],
        ...always,
      },
    },
  };
};

const forQueue = (queue) => {
  const metric = (MetricName, logicalId) => ({
    Namespace: 'AWS/SQS',
    MetricName,
    Dimensions: dimension('QueueName', { 'Fn::GetAtt': [logicalId, 'QueueName'] }),
  });
  const id = logicalName(queue);
  return {
    [`${id}DeadAlarm`]: alarm(
      `messages of ${queue} are in the dead-letter queue: look at them, repair the cause, and redrive them`,
      metric('ApproximateNumberOfMessagesVisible', `${id}DeadQueue`),
      { Statistic: 'Maximum' },
    ),
    [`${id}AgeAlarm`]: alarm(`messages of ${queue} wait longer than ten minutes`, metric('ApproximateAgeOfOldestMessage', `${id}Queue`), {
      Statistic: 'Maximum',
      Threshold: 600,
    }),
  };
};

/**
 * Each sweep logs how many events it could not deliver: a queue refused them, or this version doesn't know them. It tries each again at
 * least every eleven minutes, so that two quarters of an hour with such events mean that they don't leave.
 */
const OUTBOX = { Namespace: PREFIX, MetricName: 'OutboxLeft' };
const outbox = {
  OutboxLeftMetric: {
    Type: 'AWS::Logs::MetricFilter',
    DependsOn: ['OutboxDashsweepLogGroup'],
    Properties: {
      LogGroupName: `/aws/lambda/${PREFIX}-outbox-sweep`,
      FilterPattern: '{ $.event = "outbox_swept" }',
      MetricTransformations: [{ MetricNamespace: OUTBOX.Namespace, MetricName: OUTBOX.MetricName, MetricValue: '$.left' }],
    },
  },
  OutboxLeftAlarm: alarm(
    'events stay in the outbox: the log line outbox_swept says whether a queue refuses them, no consumer is known, or they are malformed',
    OUTBOX,
    { Period: 900, EvaluationPeriods: 2 },
  ),
};

const queues = Object.values(rights).flatMap(({ queues: used = {} }) =>
  Object.keys(used).filter((queue) => used[queue].includes('consume')),
);

module.exports = {
  Resources: {
    AlarmTopic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: `${PREFIX}-alarms` } },
    ...outbox,
    ApiServerErrorsAlarm: alarm('the API answered with 5xx', {
      Namespace: 'AWS/ApiGateway',
      MetricName: '5xx',
      Dimensions: dimension('ApiId', { Ref: 'HttpApi' }),
    }),
    ...Object.assign({}, ...queues.map(forQueue), ...Object.keys(rights).map(forFunction)),
  },
};
