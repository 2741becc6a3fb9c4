// JDBC (PgJDBC): server-side prepared statements from the fifth execution on, batches in one go, events.

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.util.PGobject;

public class Scenario {
    static final String USER = "user of jdbc";
    static final String TOKEN = "example-access-token-jdbc";

    /** What goes wrong, and the SQLSTATE that it must be told with. */
    static final Map<String, String> WRONG = Map.of(
        "TV020", "SELECT vault.get_token('no such provider', 'alice')",
        "TV035", "SELECT vault.refresh_token('google', 'nobody')",
        "42501", "SELECT * FROM vault.export_token_set('google', 'alice')");

    public static void main(String[] arguments) throws SQLException {
        try (Connection connection = connect()) {
            tokens(connection);
            many(connection, USER, "nobody", "expired");
            readme(connection, USER, "jdbc", "whsec_jdbc");
            columns(connection);
            batch(connection);
            errors(connection);
            events(connection);
        }
    }

    /** Over TCP, which is all that the driver has by itself. */
    static Connection connect() throws SQLException {
        Properties properties = new Properties();
        properties.put("user", "app_role");
        properties.put("password", System.getenv("PGPASSWORD"));
        properties.put("reWriteBatchedInserts", "true");
        String where = "127.0.0.1:" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE");
        return DriverManager.getConnection("jdbc:postgresql://" + where, properties);
    }

    static void tokens(Connection connection) throws SQLException {
        String store = "SELECT vault.store_token('google', ?, access_token => ?, expires_in => ?)";
        try (PreparedStatement statement = connection.prepareStatement(store)) {
            statement.setString(1, USER);
            statement.setString(2, TOKEN);
            statement.setLong(3, 3600);
            statement.execute();
        }
        try (PreparedStatement get = connection.prepareStatement("SELECT vault.get_token('google', ?)")) {
            get.setString(1, USER);
            for (int turn = 0; turn < 10; turn++) {
                expect("get_token", first(get).getString(1), TOKEN);
            }
            get.setString(1, "nobody");
            expect("get_token of an unknown subject", first(get).getString(1), null);
        }
    }

    static void many(Connection connection, String... users) throws SQLException {
        // readme: JDBC, many tokens
        PreparedStatement many = connection.prepareStatement("SELECT * FROM vault.get_tokens('google', ?)");
        many.setArray(1, connection.createArrayOf("text", users));
        // end
        List<List<String>> found = new ArrayList<>();
        for (ResultSet rows = many.executeQuery(); rows.next(); ) {
            found.add(Arrays.asList(
                rows.getString("subject"), rows.getString("access_token"), rows.getString("error_code")));
        }
        // The last one's token, of scenario.sql, can't be had.
        expect("get_tokens", found, List.of(
            Arrays.asList(USER, TOKEN, null),
            Arrays.asList("nobody", null, null),
            Arrays.asList("expired", null, "TV030")));
    }

    static void readme(Connection connection, String user, String name, String signingKey) throws SQLException {
        // readme: JDBC
        PreparedStatement insert = connection.prepareStatement("INSERT INTO webhook VALUES (?, ?)");
        insert.setString(1, name);
        insert.setString(2, signingKey);
        insert.executeUpdate();
        PreparedStatement get = connection.prepareStatement("SELECT vault.get_token('google', ?)");
        get.setString(1, user);
        ResultSet row = get.executeQuery(); // SQLException.getSQLState() is TV031: the user must authorize again
        String token = row.next() ? row.getString(1) : null;
        // end
        expect("get_token", token, TOKEN);
        String column = "SELECT vault.reveal(signing_key) FROM webhook WHERE id = ?";
        PreparedStatement reveal = connection.prepareStatement(column);
        reveal.setString(1, name);
        expect("an encrypted column", first(reveal).getString(1), signingKey);
    }

    static void columns(Connection connection) throws SQLException {
        String select = "SELECT signing_key FROM webhook WHERE id = 'jdbc'";
        try (PreparedStatement statement = connection.prepareStatement(select)) {
            for (int turn = 0; turn < 10; turn++) {
                String envelope = first(statement).getString(1);
                expect("the column itself", envelope.substring(0, 4), "tv1.");
            }
            PGobject object = (PGobject) first(statement).getObject(1);
            expect("its type", object.getType(), "\"vault\".\"secret\"");
        }
    }

    static void batch(Connection connection) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO webhook VALUES (?, ?)")) {
            for (int number = 0; number < 100; number++) {
                insert.setString(1, "jdbc batch " + number);
                insert.setString(2, "whsec_" + number);
                insert.addBatch();
            }
            insert.executeBatch();
        }
        String count = "SELECT count(*) FROM webhook WHERE id = 'jdbc batch ' || substr(vault.reveal(signing_key), 7)";
        try (PreparedStatement statement = connection.prepareStatement(count)) {
            expect("rows of a batch", first(statement).getLong(1), 100L);
        }
    }

    static void errors(Connection connection) throws SQLException {
        for (Map.Entry<String, String> wrong : WRONG.entrySet()) {
            String state = null;
            try (Statement statement = connection.createStatement()) {
                statement.execute(wrong.getValue());
            } catch (SQLException error) {
                state = error.getSQLState();
            }
            expect(wrong.getValue(), state, wrong.getKey());
        }
    }

    static void events(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("LISTEN token_vault");
            statement.execute("SELECT vault.create_tenant_key('events of jdbc')");
        }
        PGNotification[] heard = connection.unwrap(PGConnection.class).getNotifications(30_000);
        if (heard == null || heard.length == 0 || !heard[0].getParameter().contains("\"key_created\"")) {
            fail("no event");
        }
    }

    static ResultSet first(PreparedStatement statement) throws SQLException {
        ResultSet rows = statement.executeQuery();
        if (!rows.next()) {
            fail("no row: " + statement);
        }
        return rows;
    }

    static void expect(String what, Object actual, Object wanted) {
        if (!Objects.equals(actual, wanted)) {
            fail(what + ": got " + actual + ", expected " + wanted);
        }
    }

    static void fail(String what) {
        System.err.println("FAILED: " + what);
        System.exit(1);
    }
}
