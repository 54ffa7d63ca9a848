'use strict';
// Before each test file that is to run in a worker thread: it does, or the file fails.

const { isMainThread } = require('node:worker_threads');

if (isMainThread) throw new Error('EAGAIN_TEST_THREAD=worker, and this is the main thread');
