"""SQLAlchemy with psycopg: a column type that is revealed by every query of the mapper."""

import psycopg
from sqlalchemy import Text, create_engine, func, select, text, types
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from expect import CONNINFO, WRONG, expect, expect_envelope, expect_many, many_users

USER = "user of sqlalchemy"
TOKEN = "example-access-token-sqlalchemy"


# readme: SQLAlchemy
class Secret(types.UserDefinedType):
    cache_ok = True

    def get_col_spec(self, **options):
        return "vault.secret"

    def column_expression(self, column):
        return func.vault.reveal(column)
# end


class Base(DeclarativeBase):
    pass


class Webhook(Base):
    __tablename__ = "webhook"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    signing_key: Mapped[str] = mapped_column(Secret)


def tokens(engine):
    with Session(engine) as session:
        session.execute(select(func.vault.store_token("google", USER, TOKEN)))
        session.commit()
        expect("get_token", session.scalar(select(func.vault.get_token("google", USER))), TOKEN)
        expect("get_token of nobody", session.scalar(select(func.vault.get_token("google", "nobody"))), None)


def batch(engine, users):
    with Session(engine) as session:
        # readme: SQLAlchemy, many tokens
        many = func.vault.get_tokens("google", users).table_valued("subject", "access_token", "error_code")
        rows = session.execute(select(many)).all()
        # end
    expect_many("get_tokens", rows, USER, TOKEN)


def written(engine, name):
    """Which transaction wrote the row."""
    with engine.connect() as connection:
        return connection.scalar(text("SELECT xmin FROM webhook WHERE id = :name"), {"name": name})


def columns(engine):
    with Session(engine) as session:
        session.add_all(Webhook(id=f"sqlalchemy {number}", signing_key=f"whsec_{number}") for number in range(100))
        session.commit()
    with Session(engine) as session:
        webhook = session.get(Webhook, "sqlalchemy 7")
        expect("an attribute", webhook.signing_key, "whsec_7")
        before = written(engine, webhook.id)
        webhook.signing_key = "whsec_7"
        session.commit()
        expect("an attribute that was set to what it is: the row is written", written(engine, webhook.id) != before, False)
        webhook.signing_key = "whsec_8"
        session.commit()
        expect("a changed attribute", webhook.signing_key, "whsec_8")
    with engine.connect() as connection:
        row = connection.execute(text("SELECT signing_key FROM webhook WHERE id = 'sqlalchemy 7'")).one()
        expect_envelope("the column itself", row.signing_key)


def queries(engine):
    """An encrypted column has no equality; queries that need none work."""
    with Session(engine) as session:
        locked = session.scalars(select(Webhook).where(Webhook.id == "sqlalchemy 2").with_for_update()).one()
        expect("a locked row", locked.signing_key, "whsec_2")
        expect("a column", session.scalar(select(Webhook.signing_key).where(Webhook.id == "sqlalchemy 2")), "whsec_2")
        inserted = insert(Webhook).values(id="sqlalchemy upsert", signing_key="whsec_1")
        upsert = inserted.on_conflict_do_update(
            index_elements=["id"], set_={"signing_key": inserted.excluded.signing_key}
        )
        session.execute(upsert)
        returned = session.scalar(upsert.returning(Webhook.signing_key))
        expect("a returned column", returned, "whsec_1")
        session.commit()


def errors(engine):
    for wanted, statement in WRONG.items():
        state = None
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        except DBAPIError as error:
            state = error.orig.sqlstate
        expect(statement, state, wanted)


engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(CONNINFO))
tokens(engine)
batch(engine, many_users(USER))
columns(engine)
queries(engine)
errors(engine)
engine.dispose()
