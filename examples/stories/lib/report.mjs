// What the stories print, and what fails them.

export class Broken extends Error {
  constructor(step, why) {
    super(`${step}: ${why}`);
    this.step = step;
  }
}

// The steps of one run.  With quiet, nothing is printed (the twins).
export class Teller {
  constructor(quiet) {
    this.quiet = quiet;
  }

  say(line) {
    if (!this.quiet) console.log(line);
  }

  // Holds if claim is true; else ends the story.
  holds(step, claim, why = '') {
    if (!claim) {
      this.say(`  \u2718 ${step}${why && ': ' + why}`);
      throw new Broken(step, why);
    }
    this.say(`  \u2714 ${step}`);
  }
}
