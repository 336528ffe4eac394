import type { SQSEvent } from 'aws-lambda';

/** These messages as Lambda gets them from SQS, each for the first time. */
export const sqsEvent = (...messages: readonly { id: string; body: string }[]): SQSEvent => ({
  Records: messages.map(({ id, body }) => ({
    messageId: id,
    body,
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: '', SenderId: '', ApproximateFirstReceiveTimestamp: '' },
    receiptHandle: '',
    messageAttributes: {},
    md5OfBody: '',
    eventSource: '',
    eventSourceARN: '',
    awsRegion: '',
  })),
});
