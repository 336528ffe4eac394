import { describe } from '@jest/globals';
import { openContractStore } from './contract-store.ts';
import { databaseContract } from './database-contract.ts';

describe(`the Database port on ${process.env.DYNAMODB_ENDPOINT ?? 'the embedded engine'}`, () => databaseContract(openContractStore));
