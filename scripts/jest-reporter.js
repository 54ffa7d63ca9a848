'use strict';
// After Jest's own summary: what was skipped and why (a skip without a reason fails the run), and
// the counts with the failed tests' names, for scripts/jest.mjs.

const { writeFileSync } = require('node:fs');
const { relative } = require('node:path');

/** As `needs()` of __tests__/support/needs.ts writes it at the end of a test's name. */
const reason = /\(skipped: (.+)\)$/;

class Reporter {
  #testNamePattern;
  #unexplained = [];

  constructor({ testNamePattern }) {
    this.#testNamePattern = testNamePattern;
  }

  onRunComplete(_contexts, results) {
    this.#listSkipped(results);
    this.#writeCounts(results);
  }

  #listSkipped({ testResults }) {
    if (this.#testNamePattern) return; // then the skipped ones are those not asked for
    const skipped = testResults
      .flatMap((file) => file.testResults)
      .filter(({ status }) => status === 'pending' || status === 'disabled')
      .map(({ fullName }) => fullName);
    this.#unexplained = skipped.filter((name) => !reason.test(name));
    for (const name of skipped.toSorted()) console.error(`skipped: ${name}`);
  }

  #writeCounts({ numPassedTests, testResults }) {
    if (!process.env.EAGAIN_TEST_COUNTS) return;
    const failed = testResults.flatMap((file) => failures(file));
    failed.push(...this.#unexplained.map((name) => `skipped without a reason: ${name}`));
    const counts = JSON.stringify({ passed: numPassedTests, failed });
    writeFileSync(process.env.EAGAIN_TEST_COUNTS, counts);
  }

  /** Jest fails the run if this gives an error. */
  getLastError() {
    if (this.#unexplained.length === 0) return undefined;
    return new Error(`skipped without a reason: ${this.#unexplained.join(', ')}`);
  }
}

// The names of what failed in a file; one entry more for what failed outside its tests: an import, a hook.
function failures({ testFilePath, testResults, testExecError }) {
  const file = relative('', testFilePath);
  const failed = testResults.filter(({ status }) => status === 'failed');
  const names = failed.map(({ fullName }) => `${file}: ${fullName}`);
  return testExecError ? [...names, `${file}: outside its tests`] : names;
}

module.exports = Reporter;
