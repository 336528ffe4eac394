import { expect, test } from '@jest/globals';
import { checkAddresses, checkUrl, kindOfAddress } from '../../../lib/platform/outgoing/address-guard.ts';

test.each([
  ['8.8.8.8', 'public'],
  ['172.15.255.255', 'public'],
  ['172.32.0.1', 'public'],
  ['2606:4700::1111', 'public'],
  ['::ffff:8.8.8.8', 'public'],
  ['127.0.0.1', 'private'],
  ['127.255.255.254', 'private'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'private'],
  ['100.100.100.200', 'private'],
  ['::1', 'private'],
  ['fd00:ec2::254', 'private'],
  ['::ffff:127.0.0.1', 'private'],
  ['::ffff:7f00:1', 'private'],
  ['::127.0.0.1', 'private'],
  ['0.0.0.0', 'forbidden'],
  ['0.1.2.3', 'forbidden'],
  ['169.254.169.254', 'forbidden'],
  ['::ffff:169.254.169.254', 'forbidden'],
  ['168.63.129.16', 'forbidden'],
  ['192.0.2.1', 'forbidden'],
  ['198.18.0.1', 'forbidden'],
  ['224.0.0.1', 'forbidden'],
  ['240.0.0.1', 'forbidden'],
  ['255.255.255.255', 'forbidden'],
  ['::', 'forbidden'],
  ['::7f00:1', 'forbidden'],
  ['fe80::1', 'forbidden'],
  ['fe80::1%eth0', 'forbidden'],
  ['fec0::1', 'forbidden'],
  ['ff02::1', 'forbidden'],
  ['64:ff9b::7f00:1', 'forbidden'],
  ['64:ff9b:1::7f00:1', 'forbidden'],
  ['2002:7f00:1::', 'forbidden'],
  ['2001:0:4136:e378::1', 'forbidden'],
  ['2001:db8::1', 'forbidden'],
  ['100::1', 'forbidden'],
  ['4000::1', 'forbidden'],
  ['nonsense', 'forbidden'],
])('the address %s is %s', (address, kind) => {
  expect(kindOfAddress(address)).toBe(kind);
});

const closed = { allowPrivate: false };
const open = { allowPrivate: true };

test.each([
  'http://api.example.com/v1',
  'ftp://api.example.com',
  'https://user:secret@api.example.com',
  'https://127.0.0.1',
  'https://2130706433',
  'https://0177.0.0.1',
  'https://0x7f.0.0.1',
  'https://127.1',
  'https://[::1]:8443/v1',
  'https://[::ffff:7f00:1]',
  'https://169.254.169.254/latest/meta-data',
  'https://0xa9fea9fe',
  'https://0',
  '/v1',
  '',
])('the URL %j may not be called', (url) => {
  expect(() => checkUrl(url, closed)).toThrow(expect.objectContaining({ reason: 'forbidden_address' }));
});

test.each(['https://api.example.com/v1', 'https://8.8.8.8:8443', 'https://[2606:4700::1111]/'])('the URL %j may be called', (url) => {
  expect(checkUrl(url, closed).href).toContain('https://');
});

test('open private addresses may be called over HTTP, and metadata addresses still not at all', () => {
  expect(checkUrl('http://127.0.0.1:11434/v1', open).port).toBe('11434');
  for (const url of ['http://169.254.169.254', 'https://169.254.169.254', 'http://8.8.8.8']) {
    expect(() => checkUrl(url, open)).toThrow(expect.objectContaining({ reason: 'forbidden_address' }));
  }
});

test('one private address among public ones is enough to refuse a host', () => {
  expect(() => checkAddresses(['8.8.8.8', '10.0.0.1'], 'https:', closed)).toThrow(expect.objectContaining({ reason: 'forbidden_address' }));
  expect(() => checkAddresses(['8.8.8.8', '127.0.0.1'], 'http:', open)).toThrow(expect.objectContaining({ reason: 'forbidden_address' }));
  expect(() => checkAddresses(['8.8.8.8'], 'https:', closed)).not.toThrow();
});

test('a refusal does not repeat the URL, which may contain a secret', () => {
  expect(() => checkUrl('https://user:secret@api.example.com', closed)).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining('secret') }),
  );
});
