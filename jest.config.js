'use strict';
// Three projects, so that a test is given the quiet it needs by the folder it is in:
//   parallel   everything but the below, two files at a time
//   serial     __tests__/process and __tests__/load: child processes, floods, timing
//   real       __tests__/real: other people's servers and clients, where they are installed
// `npm test` runs the one, then the other with --runInBand; `npm run test:real` the third.
// EAGAIN_TEST_THREAD=worker: the files of `parallel` run in worker_threads (`npm run test:worker`).

const serialFolders = ['process', 'load'];

// Jest would run few or fast files in its own thread, but for a limit of its workers' memory: one that no
// worker reaches. One at a time: threads share descriptors, and each file counts them.
const inWorkers = process.env.EAGAIN_TEST_THREAD === 'worker';
const workers = inWorkers
  ? { maxWorkers: 1, workerThreads: true, workerIdleMemoryLimit: 2 ** 40 }
  : { maxWorkers: 2 };

/** @type {import('@jest/types').Config.InitialProjectOptions} */
const common = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        // tsc's target in tsconfig.base.json. It lowers `await using`, which Node 20 has not.
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript' },
          transform: { useDefineForClassFields: false },
          keepClassNames: true,
        },
        module: { type: 'commonjs', ignoreDynamic: false },
        sourceMaps: 'inline',
      },
    ],
  },
};

/** @type {import('jest').Config} */
module.exports = {
  ...workers,
  testTimeout: 20_000,
  reporters: ['default', '<rootDir>/scripts/jest-reporter.js'],
  projects: [
    {
      ...common,
      displayName: 'parallel',
      setupFiles: inWorkers ? ['<rootDir>/scripts/jest-in-worker.js'] : [],
      testMatch: ['**/__tests__/**/*.test.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '<rootDir>/__tests__/real/',
        ...serialFolders.map((folder) => `<rootDir>/__tests__/${folder}/`),
      ],
    },
    {
      ...common,
      displayName: 'serial',
      testMatch: serialFolders.map((folder) => `**/__tests__/${folder}/**/*.test.ts`),
    },
    {
      ...common,
      displayName: 'real',
      testMatch: ['**/__tests__/real/**/*.test.ts'],
    },
  ],
};
