"""The schedule place of front desk and technologist: patients, orders by hand, a day's steps per station."""
